"""The records of what the nightly jobs saw of a machine: its disk over the last nights, memory, and restarts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import age_days, pick

NIGHTS = 14  # that are kept
LEAST_DAYS = 2.0  # a rate needs some time
SOON, WELL = 7.0, 14.0  # days until the disk is full: from when it is an alarm, and from when it is well again
AGAIN = 3  # restarts since the last night
SCARCE, ENOUGH = 0.05, 0.1  # the share of memory that is free: from when it is an alarm, and from when it is well again


@dataclass(frozen=True)
class DiskRecord:
    """How many bytes were free on the disk of an engine, in the last nights."""

    kind: ClassVar[str] = "disk"
    host: str  # of [hosts]; empty for the default daemon
    when: str
    free: int
    before: tuple[tuple[str, int], ...] = ()  # earlier nights, the oldest first
    alarm: bool = False

    @property
    def subject(self) -> str:
        """The engine's name, or a word for the default one."""
        return self.host or "engine"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        values = pick(cls, facts)
        values["before"] = tuple((str(when), int(free)) for when, free in values.get("before", ()))
        return cls(**values)

    @classmethod
    def after(cls, last: "DiskRecord | None", host: str, when: str, free: int) -> Self:
        """Return the record of a new night; the alarm begins before a week, and ends with two weeks of space."""
        before = (*last.before, (last.when, last.free))[-NIGHTS:] if last else ()
        days = cls(host, when, free, before).days_left
        limit = WELL if last and last.alarm else SOON
        return cls(host, when, free, before, days is not None and days < limit)

    @property
    def days_left(self) -> float | None:
        """After how many days the disk is full, if it fills as in these nights; None if it does not."""
        if not self.before:
            return None
        first, then = self.before[0]
        days = age_days(first, datetime.fromisoformat(self.when))
        lost = then - self.free
        return self.free * days / lost if days >= LEAST_DAYS and lost > 0 else None


@dataclass(frozen=True)
class MemoryRecord:
    """How many bytes of an engine's memory programs could still have in the last night."""

    kind: ClassVar[str] = "memory"
    host: str  # of [hosts]; empty for the default daemon
    when: str
    free: int
    total: int
    alarm: bool = False

    @property
    def subject(self) -> str:
        """The engine's name, or a word for the default one."""
        return self.host or "engine"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))

    @classmethod
    def after(cls, last: "MemoryRecord | None", host: str, when: str, free: int, total: int) -> Self:
        """Return the record of a new night; the alarm ends when there is twice as much as where it begins."""
        limit = ENOUGH if last and last.alarm else SCARCE
        return cls(host, when, free, total, alarm=free < total * limit)


@dataclass(frozen=True)
class RestartsRecord:
    """How often the engine has restarted each container of a service, because it ended."""

    kind: ClassVar[str] = "restarts"
    service: str
    when: str
    counts: tuple[tuple[str, int], ...] = ()  # by the container's id

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        values = pick(cls, facts)
        values["counts"] = tuple((str(known), int(count)) for known, count in values.get("counts", ()))
        return cls(**values)

    def again(self, last: "RestartsRecord | None") -> int:
        """Return the restarts since the last night of the container that had most; fewer than AGAIN count as none."""
        known = dict(last.counts) if last else {}
        most = max((count - known.get(name, 0) for name, count in self.counts), default=0)
        return most if most >= AGAIN else 0
