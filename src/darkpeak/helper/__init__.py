"""The helper: a container with restic that runs beside the volumes."""
