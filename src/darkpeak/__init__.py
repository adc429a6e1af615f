"""Darkpeak: services that a collective runs together, each of the same shape."""

__version__ = "0.1.0"
