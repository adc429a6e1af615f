"""A virtual machine on this laptop: its image from Debian's archive, QEMU, and the way in by ssh."""
