"""The collective's files as values: collective.toml, services, blocks and routes. Pure, except for reading files."""

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.read import find_root, read, read_with

__all__ = ["Collective", "Finding", "Service", "count", "find_root", "read", "read_with"]


def count(number: int, word: str) -> str:
    """Return a number with its noun: `1 finding`, `2 findings`."""
    return f"{number} {word}" + "s" * (number != 1)
