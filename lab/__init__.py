"""Test hosts: machines in miniature for the live tests and the benches, and the collectives that run in them."""
