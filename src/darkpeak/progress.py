"""How an action tells how far it has come, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Receives what happens while an action runs."""

    def step(self, name: str, step: str) -> None:
        """Receive that `name` (a service, mostly) has begun a step."""

    def line(self, name: str, line: str) -> None:
        """Receive a line that a tool printed while it worked for `name`."""
