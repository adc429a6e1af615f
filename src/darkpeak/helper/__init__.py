"""The helper: a container with restic, on the machine that has the volumes."""
