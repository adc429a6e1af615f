"""What admins announced to members: planned work, or anything that they should know. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import Records, pick


@dataclass(frozen=True)
class AnnouncementRecord:
    """A text for members. Outages of its time are planned, if it was announced before them and has an end."""

    kind: ClassVar[str] = "announcement"
    id: str
    when: str  # it was announced
    who: str
    text: str
    service: str = ""  # empty: it is about all services
    since: str = ""
    until: str = ""  # empty: until it is removed

    @property
    def subject(self) -> str:
        """Its id."""
        return self.id

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))

    @property
    def planned(self) -> tuple[int, int] | None:
        """The time in which outages are planned, in seconds since 1970; None if it has no end.

        It never begins before it was announced: nobody excuses an outage afterwards.
        """
        if not self.until:
            return None
        return max(_seconds(self.since), _seconds(self.when)), _seconds(self.until)

    def is_over(self, at: datetime) -> bool:
        """Return whether its time has ended."""
        return bool(self.until) and _seconds(self.until) <= at.timestamp()

    def concerns(self, service: str) -> bool:
        """Return whether it is about a service."""
        return self.service in {"", service}


def announced(records: Iterable[Records]) -> list[AnnouncementRecord]:
    """Return the announcements of several engines, each once, the earliest first."""
    found = {item.id: item for one in records for item in one.all(AnnouncementRecord)}
    return sorted(found.values(), key=lambda item: (item.since, item.id))


def _seconds(when: str) -> int:
    return int(datetime.fromisoformat(when).timestamp())
