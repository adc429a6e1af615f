"""How an action reports its progress, without knowing who shows it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of an action while it runs."""

    def step(self, name: str, step: str) -> None:
        """Receive that `name` (mostly a service) has begun a step."""

    def line(self, name: str, line: str) -> None:
        """Receive a line that a tool printed while it worked for `name`."""
