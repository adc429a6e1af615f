"""A write load: one action after another, as members do them; each is noted when it is acknowledged."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from lab.commands import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Load:
    """A running load, and what was acknowledged so far."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.over = Event()
        self.failure: BaseException | None = None

    def go_on(self, act: Callable[[int], str]) -> None:
        """Repeat the action until the load ends; `act` returns what was acknowledged."""
        try:
            while not self.over.is_set():
                self.done.append(act(len(self.done)))
        except BaseException as failure:  # noqa: BLE001 (raised where the load ends)
            self.failure = failure

    def acknowledged(self) -> set[str]:
        """Return everything that was acknowledged."""
        return set(self.done)

    def wait_for_more(self, number: int = 1) -> None:
        """Wait until `number` more actions are acknowledged."""
        wanted = len(self.done) + number
        wait_for("more acknowledged actions", lambda: self.failure or len(self.done) >= wanted, timeout=120)


@contextmanager
def under(act: Callable[[int], str]) -> Iterator[Load]:
    """Run a load in its own thread; fail if the load failed."""
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


@contextmanager
def four_at_once(act: Callable[[int, Event], None]) -> Iterator[None]:
    """Have four people act meanwhile, each with a number, until the event that says that it is over."""
    over = Event()
    threads = [Thread(target=act, args=(number, over)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
