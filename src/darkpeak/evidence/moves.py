"""The record of a service that moves to this host, or has moved away from it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.collective.model import Finding, Service
from darkpeak.evidence.record import pick
from darkpeak.vocabulary import COLLECTIVE_FILE

ARRIVING, GONE = "arriving", "gone"


@dataclass(frozen=True)
class MoveRecord:
    """Why the router of this host leads nobody to a copy of a service: it has not its data yet, or not any more."""

    kind: ClassVar[str] = "move"
    service: str
    when: str
    stage: str  # ARRIVING or GONE
    other: str  # the host from which it comes, or to which it has gone; empty for the default daemon
    who: str = ""
    kept: bool = False  # while it arrives: an earlier copy was kept here

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))


def find_gone(services: Iterable[Service], records: Iterable[MoveRecord]) -> list[Finding]:
    """Return a finding for each service that a host shall run, but that has moved away from it."""
    gone = {record.service: record for record in records if record.stage == GONE}
    hint = f"get the commit that says so in {COLLECTIVE_FILE}: git pull; or take it back: darkpeak move SERVICE HOST"
    return [
        Finding(item.at, "moved", f"{item.name} has moved to {gone[item.name].other} ({gone[item.name].who})", hint)
        for item in services
        if item.name in gone
    ]
