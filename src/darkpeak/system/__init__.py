"""The base system of a machine that runs services: described once, made on a server over ssh and in a VM's image."""
