"""The base system of a machine that runs services: on a server, made over ssh, and in the VM's image."""
