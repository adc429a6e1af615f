"""One round: ask all routes at once, and log what changed."""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from .ask import DOWN, Answer, Ports, ask
from .clock import JUMP, Clock
from .log import changes, gap, read_states
from .routes import Route, read_routes
from .store import Store

AT_ONCE = 50
NO_ANSWER = Answer(DOWN, "no answer in time")


class Asker:
    """Asks routes, some at once. One that does not end is not asked again before it ends."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._running: dict[str, Future[Answer]] = {}

    def ask(self, routes: list[Route]) -> dict[str, Answer]:
        """Return each route's answer."""
        for route in routes:
            if route.name not in self._running:
                self._running[route.name] = self._pool.submit(ask, route, self._ports)
        wait((self._running[route.name] for route in routes), timeout=2 * self._ports.patience)
        return {route.name: self._take(route.name) for route in routes}

    def _take(self, name: str) -> Answer:
        return self._running.pop(name).result() if self._running[name].done() else NO_ANSWER


class Prober:
    """Asks the routes of the router's tables, and keeps what it found."""

    def __init__(self, tables: Path, store: Store, ports: Ports, clock: Clock, again: float) -> None:
        """Begin; `again` is how many seconds later a route that failed is asked once more."""
        self._tables, self._store, self._clock, self._again = tables, store, clock, again
        self._asker = Asker(ports)
        self._states, self._last = read_states(store.lines()), store.alive()

    def round(self) -> None:
        """Ask all routes, and write each change into the log."""
        at = self._clock.now()
        missed = gap(self._last, at) if self._last and at - self._last > JUMP else []
        answers = self._ask(read_routes(self._tables))
        self._store.write([*missed, *changes(at, self._states, answers)], at)
        self._states, self._last = answers, at

    def _ask(self, routes: list[Route]) -> dict[str, Answer]:
        """Return each route's answer; one that fails is asked once more, since a single failure may be an accident."""
        answers = self._asker.ask(routes)
        failed = [route for route in routes if answers[route.name].state == DOWN]
        if failed:
            time.sleep(self._again)
            answers |= self._asker.ask(failed)
        return answers
