"""Carry out plans, and keep the router in sync."""
