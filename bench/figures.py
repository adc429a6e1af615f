"""The figures of benches, by name; and which of them are better when they are larger. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Figures = dict[str, float]
# Speeds, and how many times faster we are. All other figures are times, sizes, and our cost over another's.
LARGER = re.compile(
    r"deploy\.(noop_up|status)_\d+(_processor)?|updates\..*_over_.*|lint\.first_to_warm"
    r"|(account|directory)\..*(per_second|over_hashes)|router\.(over|rate)_.*"
)
SAME = re.compile(r"lint\.services|updates\.containers|(account|directory)\.members|rest\.minutes")  # as asked for


class Change(NamedTuple):
    """A figure that differs between two runs, and by which factor it got worse; below 1, it got better."""

    name: str
    before: float
    after: float
    worse: float


def flat(name: str, found: Any) -> Figures:
    """Return the numbers in what a bench printed as JSON, each with its whole path as its name."""
    if isinstance(found, Mapping):
        return {path: value for key, item in found.items() for path, value in flat(f"{name}.{key}", item).items()}
    return {name: float(found)} if isinstance(found, int | float) and not isinstance(found, bool) else {}


def compare(before: Figures, after: Figures) -> Iterator[Change]:
    """Yield the figures that both runs have, the one that got worse most first."""
    found = []
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if SAME.fullmatch(name) or min(old, new) <= 0:
            continue
        found.append(Change(name, old, new, old / new if LARGER.fullmatch(name) else new / old))
    yield from sorted(found, key=lambda change: (-change.worse, change.name))
