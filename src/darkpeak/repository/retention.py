"""Which sets are kept, and why: by their numbers, so that no clock loses the newest. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from darkpeak.collective.model import Keep
from darkpeak.repository.snapshots import BACKUP, Snapshot

NEWEST = 3  # kept whatever their dates are: a clock that stands still makes all days one


@dataclass(frozen=True)
class Kept:
    """One set, and why it stays; without a reason it goes."""

    known: Snapshot
    why: tuple[str, ...]


def decide(snapshots: Iterable[Snapshot], keep: Keep) -> list[Kept]:
    """Return every set with the reasons to keep it, those of one service and kind by number, the newest first.

    Days, weeks and months are counted as they are met, from the newest number on. A set from a clock that was a year
    ahead has a month of its own, but pushes out none that is newer by number.
    """

    def kind(item: Snapshot) -> tuple[str, str, str]:
        return (item.service, item.host, item.kind)

    decided = []
    for (_, _, which), group in groupby(sorted(snapshots, key=kind), key=kind):
        newest_first = sorted(group, key=lambda item: -item.number)
        counts = keep if which == BACKUP else Keep(0, 0, 0)
        decided += [Kept(item, tuple(why)) for item, why in _reasons(newest_first, counts)]
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
