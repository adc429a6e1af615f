"""Backup repositories: their key, restic, and the snapshots in them."""
