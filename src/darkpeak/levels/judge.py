"""Which level each service really has: the highest whose requirements, and those of all below, are met. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak.collective.model import LEVELS
from darkpeak.evidence.measured import LevelRecord
from darkpeak.levels.facts import Facts
from darkpeak.levels.requirements import REQUIREMENTS, Answer, Levels, rank


@dataclass(frozen=True)
class Row:
    """One requirement of one service, as it is shown."""

    level: str
    requirement: str
    met: bool
    why: str
    next: str = ""


@dataclass(frozen=True)
class Judged:
    """A service: the level that it claims, the level that it has, and all requirements."""

    service: str
    claimed: str
    measured: str
    rows: tuple[Row, ...]
    unknown: str = ""  # why nothing is known of what runs
    host: str = ""  # of [hosts]; empty for the default daemon

    @property
    def kept(self) -> bool:
        """Whether it has the level that it claims, or a higher one."""
        return rank(self.measured) >= rank(self.claimed)

    def lacking(self, level: str) -> tuple[Row, ...]:
        """Return the requirements of a level that are not met, and those of the levels below it."""
        return tuple(row for row in self.rows if not row.met and rank(row.level) <= rank(level))

    @property
    def wanted(self) -> str:
        """The level to work for: the one that it claims, or if it has that, the next one."""
        return self.claimed if not self.kept else LEVELS[min(rank(self.measured) + 1, len(LEVELS) - 1)]

    @property
    def lacks(self) -> str:
        """What it lacks for the wanted level, in words; empty if nothing."""
        names = ", ".join(row.requirement for row in self.lacking(self.wanted))
        return f"for {self.wanted}: {names}" if names else ""


def judge(found: Sequence[Facts]) -> list[Judged]:
    """Return all services with their levels; `found` has every service of the collective.

    A level depends on those of other services, also in a circle: begin with the best, and lower until nothing changes.
    """
    levels: dict[str, str] = {facts.service.name: LEVELS[-1] for facts in found}
    while True:
        judged = [_judge(facts, levels) for facts in found]
        lower = _lowest(judged)
        if lower == levels:
            return judged
        levels = lower


def _lowest(judged: Sequence[Judged]) -> dict[str, str]:
    """Return the level of each service, by its name; of one that runs on several hosts, the lowest."""
    levels: dict[str, str] = {}
    for item in judged:
        levels[item.service] = min(levels.get(item.service, LEVELS[-1]), item.measured, key=rank)
    return levels


def is_lost(judged: Judged, before: LevelRecord | None) -> bool:
    """Return whether a service lost the level that it claims: it had it at an earlier look, and not since then."""
    return not judged.kept and before is not None and (before.lost or rank(before.level) >= rank(judged.claimed))


def _judge(facts: Facts, levels: Levels) -> Judged:
    rows = tuple(_row(facts, levels))
    measured = LEVELS[0]
    for level in LEVELS[1:]:
        if any(not row.met for row in rows if row.level == level):
            break
        measured = level
    return Judged(facts.service.name, facts.service.level, measured, rows, facts.unknown, facts.host)


def _row(facts: Facts, levels: Levels) -> list[Row]:
    rows = []
    for item in REQUIREMENTS:
        answer = item.check(facts, levels)
        if facts.unknown and item.from_engine:
            answer = Answer(met=False, why=f"not known: {facts.unknown}", next="darkpeak doctor")
        rows.append(Row(item.level, item.name, answer.met, answer.why, "" if answer.met else answer.next))
    return rows
