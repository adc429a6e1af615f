"""Test hosts: small machines for the live tests and the benches, and the collectives that run in them."""
