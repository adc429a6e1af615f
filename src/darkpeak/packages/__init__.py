"""Debian packages in containers: what is installed, and what apt knows to be newer."""
