"""A service and a collective begin, get another name, and end: init, new, add, diff, rename, move, remove."""
