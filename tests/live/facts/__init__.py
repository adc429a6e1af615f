"""What must survive: for each service a module of its name, with what its members would miss after a bad restore.

`write(collective)` puts facts into the running service, as its members do, and returns what `check` must find again.
`check(collective, written)` fails unless the service, asked as its members ask it, gives them back.
`busy(collective)` has members write all the time; `found(collective)` returns what of that is there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lab.collectives import Collective
    from tests.live.load import Load


class Facts(Protocol):
    """One service's facts."""

    def write(self, collective: Collective) -> Any:
        """Put them in."""

    def check(self, collective: Collective, written: Any) -> None:
        """Find them again."""

    def busy(self, collective: Collective) -> AbstractContextManager[Load]:
        """Write all the time."""

    def found(self, collective: Collective) -> set[str]:
        """Return what of it is there."""


def of(service: str) -> Facts:
    """Return a service's facts; every service must have some."""
    return cast("Facts", importlib.import_module(f"tests.live.facts.{service}"))
