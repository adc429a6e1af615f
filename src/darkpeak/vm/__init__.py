"""A virtual machine on this machine: its image from Debian's archive, QEMU, and ssh."""
