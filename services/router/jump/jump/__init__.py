"""The jump server: with `ssh -J`, a client connects to a service by its name, and to nothing else."""
