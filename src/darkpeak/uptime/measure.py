"""Uptime and outages of a service, from the events of its routes. Pure.

A service is down while one of its routes is down or gone, unless a notice or an announcement says that this is planned.
While the prober did not run, nothing is known: that time counts for nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from math import floor

from darkpeak.uptime.log import DOWN, GONE, MAINTENANCE, OFF, PROBER, UP, Event

DAY_SECONDS = 86400
UNKNOWN = ""
PLANNED, BEGINS, ENDS = "", "begins", "ends"  # a name that no route has, for the times of announced work
ROUND_SECONDS = 30  # between two looks; a share is not known better than that


@dataclass(frozen=True)
class Outage:
    """A time in which a service did not answer; `ended` is None while it lasts."""

    began: int
    ended: int | None
    seconds: int  # without the time in which the prober did not run
    cause: str  # the route, and what it answered


@dataclass(frozen=True)
class Uptime:
    """How many seconds a service was up, down, and under announced maintenance; its outages, the oldest first."""

    up: int = 0
    down: int = 0
    maintenance: int = 0
    outages: tuple[Outage, ...] = ()

    @property
    def days(self) -> float:
        """How many days were measured, without those of maintenance."""
        return (self.up + self.down) / DAY_SECONDS

    @property
    def share(self) -> float:
        """The share of the measured time, from 0 to 1, in which it was up; maintenance does not count. 0 if unknown."""
        return self.up / (self.up + self.down) if self.up + self.down else 0.0

    @property
    def nines(self) -> int:
        """The number of nines of the share that the measured time can show: 0.995 has two, from 50 minutes on."""
        total, number = self.up + self.down, 0
        while max(self.down, ROUND_SECONDS) * 10 ** (number + 1) <= total:
            number += 1
        return number


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    state: str
    cause: str


def percent(share: float, digits: int) -> str:
    """Return a share as a percentage that is never rounded up: 99.996 % is not 100."""
    return f"{floor(share * 10 ** (digits + 2) + 1e-9) / 10**digits:.{digits}f}%"


def measure(
    events: Mapping[str, Sequence[Event]],
    names: Iterable[str],
    since: int,
    until: int,
    planned: Sequence[tuple[int, int]] = (),
) -> Uptime:
    """Return the uptime of the service that has these routes, between two moments.

    Outages in the `planned` times, each from a moment to another, are maintenance.
    """
    spans = list(_spans({**events, PLANNED: _edges(planned)}, names, since, until))
    lengths = {state: sum(span.end - span.start for span in spans if span.state == state) for state in (UP, DOWN)}
    kept = sum(span.end - span.start for span in spans if span.state == MAINTENANCE)
    return Uptime(lengths[UP], lengths[DOWN], kept, tuple(_outages(spans)))


def _edges(planned: Sequence[tuple[int, int]]) -> list[Event]:
    """Return the moments at which planned times begin and end, in their order."""
    found = [(start, BEGINS) for start, end in planned if end > start]
    found += [(end, ENDS) for start, end in planned if end > start]
    return [Event(at, PLANNED, state) for at, state in sorted(found)]


def _spans(events: Mapping[str, Sequence[Event]], names: Iterable[str], since: int, until: int) -> Iterator[_Span]:
    """Yield the times in which the service's state did not change."""
    own = [events.get(name, ()) for name in names]
    states: dict[str, Event] = {}
    runs, open_times, start = True, 0, since
    for event in merge(events.get(PROBER, ()), events[PLANNED], *own, key=lambda item: item.at):
        at = min(max(event.at, since), until)
        if at > start:
            yield _Span(start, at, *_state(states, runs=runs, planned=open_times > 0))
            start = at
        if event.name == PROBER:
            runs = event.state != OFF
        elif event.name == PLANNED:
            open_times += 1 if event.state == BEGINS else -1
        elif event.state == GONE:  # the files have this route: it was taken down
            states[event.name] = replace(event, state=DOWN, cause="the router has no route to it")
        else:
            states[event.name] = event
    if until > start:
        yield _Span(start, until, *_state(states, runs=runs, planned=open_times > 0))


def _state(states: Mapping[str, Event], *, runs: bool, planned: bool) -> tuple[str, str]:
    """Return the state of the whole service, and the cause if it is down."""
    if not runs or not states:
        return UNKNOWN, ""
    if any(event.state == MAINTENANCE for event in states.values()):
        return MAINTENANCE, ""
    down = next((event for event in states.values() if event.state == DOWN), None)
    if down and planned:
        return MAINTENANCE, ""
    return (DOWN, f"{down.name}: {down.cause}" if down.cause else down.name) if down else (UP, "")


def _outages(spans: Sequence[_Span]) -> Iterator[Outage]:
    """Yield the outages. If the prober did not run meanwhile, and it was still down afterwards, it is one outage."""
    last: Outage | None = None
    for span in spans:
        length = span.end - span.start
        if span.state == DOWN:
            last = (
                replace(last, seconds=last.seconds + length) if last else Outage(span.start, None, length, span.cause)
            )
        elif last and span.state != UNKNOWN:
            yield replace(last, ended=span.start)
            last = None
    if last:
        yield last
