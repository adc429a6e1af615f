"""The prober's log as events. services/router/prober/probe/log.py writes it and describes its lines. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

PROBER, OFF, ON, GONE = "-", "off", "on", "gone"
UP, DOWN, MAINTENANCE = "up", "down", "maintenance"
KNOWN = (UP, DOWN, MAINTENANCE, GONE, OFF, ON)
FIELDS = 3


@dataclass(frozen=True)
class Event:
    """A change at a moment, in seconds since 1970: a route's new state, or that the prober ran or not (name `-`)."""

    at: int
    name: str
    state: str
    cause: str = ""


def parse(text: str) -> list[Event]:
    """Return the events of a log in their order; a damaged line is left out."""
    events = []
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) >= FIELDS and fields[0].isdigit() and fields[2] in KNOWN:
            events.append(Event(int(fields[0]), fields[1], fields[2], fields[3] if len(fields) > FIELDS else ""))
    return sorted(events, key=lambda event: event.at)  # stable: those of one moment stay as they were written


def by_name(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the events by the names of routes; the prober's own are under `-`."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.name, []).append(event)
    return found
