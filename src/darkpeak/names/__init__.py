"""Have this machine resolve the collective's host names with services/dns, and undo it."""
