"""The records of drills, restores and recoveries. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class DrillRecord:
    """How the last drill of a service went."""

    kind: ClassVar[str] = "drill"
    service: str
    when: str
    snapshot: str
    good: bool
    message: str = ""  # what the service's own check printed, or what was wrong
    seconds: float = 0.0

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts, snapshot="set_name", message="said"))


@dataclass(frozen=True)
class SpoiltDrillRecord(DrillRecord):
    """How the last test of the drill itself went, on a copy that was damaged on purpose: good if it noticed."""

    kind: ClassVar[str] = "spoilt"


@dataclass(frozen=True)
class DrillTurnRecord(DrillRecord):
    """When a service had its turn in a night, and could not be drilled: then others are before it."""

    kind: ClassVar[str] = "turn"


@dataclass(frozen=True)
class RestoreRecord(DrillRecord):
    """How the last restore of a service went."""

    kind: ClassVar[str] = "restore"


@dataclass(frozen=True)
class RecoveryRecord(DrillRecord):
    """How far `restore --all` has restored a service on an empty daemon."""

    kind: ClassVar[str] = "recover"
