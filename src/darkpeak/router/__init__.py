"""The collective's router: its tables as values and files, and the one way to the container that serves them."""
