"""Backup repositories: their key, the restic behind each, and the snapshots in them."""
