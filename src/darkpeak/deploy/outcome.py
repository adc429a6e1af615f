"""How the deploy of one service ended. Pure."""

from dataclasses import dataclass, field

from darkpeak.router.routes import Changes


@dataclass(frozen=True)
class Outcome:
    """How the deploy of one service ended; `failure` is empty if it succeeded."""

    service: str
    failure: str = ""
    lines: str = ""  # the last lines that the failed containers or tools printed
    routes: Changes = field(default_factory=Changes)


class Failed(Exception):
    """An operation failed."""

    def __init__(self, message: str, lines: str = "") -> None:
        super().__init__(message)
        self.message, self.lines = message, lines
