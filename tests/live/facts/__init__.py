"""What must survive a restore: each service has a module with its name here.

`write(collective)` writes facts into the running service, as its members do, and returns what `check` must find.
`check(collective, written)` fails unless members find the facts in the service.
`busy(collective)` writes all the time, as members do; `found(collective)` returns which of that the service has.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lab.collectives import Collective
    from tests.live.load import Load


class Facts(Protocol):
    """The facts of one service."""

    def write(self, collective: Collective) -> Any:
        """Write the facts."""

    def check(self, collective: Collective, written: Any) -> None:
        """Check that the facts are there."""

    def busy(self, collective: Collective) -> AbstractContextManager[Load]:
        """Write all the time, as members do."""

    def found(self, collective: Collective) -> set[str]:
        """Return which of what `busy` wrote is there."""


def of(service: str) -> Facts:
    """Return the facts of a service; every service must have them."""
    return cast("Facts", importlib.import_module(f"tests.live.facts.{service}"))
