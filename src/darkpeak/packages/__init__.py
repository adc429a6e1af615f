"""The packages of containers: what is installed, and what apt, pip and npm know to be newer."""
