"""Sets of parts in restic repositories: made beside the volumes, proven by restoring them."""
