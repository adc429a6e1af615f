"""The router: its tables as values and as files, and the programs of its container."""
