"""The commands in the project's pages, and where each is run."""
