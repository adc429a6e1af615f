"""The records of what the nightly jobs measured of a service: its level, and its security updates. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class LevelRecord:
    """The level of a service at the last look, and whether it lost the level that it claims."""

    kind: ClassVar[str] = "level"
    service: str
    when: str
    level: str
    lost: bool = False  # it had the level that it claims, at an earlier look, and has not now

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))


@dataclass(frozen=True)
class UpdatesRecord:
    """How many security updates a service lacked at the last look, and since when it has lacked some."""

    kind: ClassVar[str] = "updates"
    service: str
    when: str
    security: int
    since: str = ""  # empty if it lacks none

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))

    @classmethod
    def after(cls, before: "UpdatesRecord | None", service: str, when: str, security: int) -> Self:
        """Return the record of a new look; `since` stays while there are updates at each look."""
        since = (before.since if before else "") or when
        return cls(service, when, security, since if security else "")
