"""Decide which snapshots are kept: by their numbers, so that a wrong clock cannot lose the newest. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from darkpeak.collective.settings import Keep
from darkpeak.repository.snapshots import BACKUP, Snapshot

NEWEST = 3  # always kept, since a wrong clock can give all snapshots the same date


@dataclass(frozen=True)
class Retained:
    """One snapshot, and the reasons to keep it; without any, it is deleted."""

    snapshot: Snapshot
    why: tuple[str, ...]


def decide(snapshots: Iterable[Snapshot], keep: Keep) -> list[Retained]:
    """Return every snapshot with the reasons to keep it; those of one service and kind have the newest number first.

    Days, weeks and months are counted from the newest number on. A snapshot from a clock that was a year ahead is kept
    for its own month, but does not displace a snapshot with a higher number.
    """

    def kind(item: Snapshot) -> tuple[str, str, str]:
        return (item.service, item.host, item.kind)

    decided = []
    for (_, _, which), group in groupby(sorted(snapshots, key=kind), key=kind):
        newest_first = sorted(group, key=lambda item: -item.number)
        counts = keep if which == BACKUP else Keep(0, 0, 0)
        decided += [Retained(item, tuple(why)) for item, why in _reasons(newest_first, counts)]
    return decided


def _reasons(newest_first: list[Snapshot], keep: Keep) -> Iterator[tuple[Snapshot, list[str]]]:
    periods = (("day", keep.daily, 10), ("week", keep.weekly, 0), ("month", keep.monthly, 7))
    met: dict[str, set[str]] = {name: set() for name, _, _ in periods}
    for position, item in enumerate(newest_first):
        why = ["one of the newest"] if position < NEWEST else []
        for name, count, width in periods:
            label = item.made[:width] if width else _week(item.made)
            if len(met[name]) < count and label not in met[name]:
                met[name].add(label)
                why.append(f"{name} {label}")
        yield item, why


def _week(made: str) -> str:
    try:
        year, week, _ = date.fromisoformat(made[:10]).isocalendar()
    except ValueError:
        return made[:10]
    return f"{year}-W{week:02}"
