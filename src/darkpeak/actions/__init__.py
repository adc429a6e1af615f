"""One file for each verb. An action takes values, does its work, and returns a frozen result. It never prints."""
