"""One file a verb. An action takes what it needs as values, does it, and returns a frozen result; it never prints."""
