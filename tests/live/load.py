"""A write load: one thing after another is done, as a member does it, and noted when it is acknowledged."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from lab.commands import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Load:
    """What goes on, and what was acknowledged so far."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.over = Event()
        self.failure: BaseException | None = None

    def go_on(self, act: Callable[[int], str]) -> None:
        """Do the next thing, until it is over; `act` returns what was acknowledged."""
        try:
            while not self.over.is_set():
                self.done.append(act(len(self.done)))
        except BaseException as failure:  # noqa: BLE001 (raised where the load ends)
            self.failure = failure

    def acknowledged(self) -> set[str]:
        """Return all of it."""
        return set(self.done)

    def wait_for_more(self, number: int = 1) -> None:
        """Wait until some more is acknowledged."""
        wanted = len(self.done) + number
        wait_for("the load to go on", lambda: self.failure or len(self.done) >= wanted, timeout=120)


@contextmanager
def under(act: Callable[[int], str]) -> Iterator[Load]:
    """Have a load in a thread of its own; fails if the load did."""
    load = Load()
    thread = Thread(target=load.go_on, args=(act,))
    thread.start()
    try:
        yield load
    finally:
        load.over.set()
        thread.join(timeout=120)
    if load.failure:
        raise load.failure
