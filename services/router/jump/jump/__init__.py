"""The jump server: `ssh -J` brings a client to a service by its name, and nowhere else."""
