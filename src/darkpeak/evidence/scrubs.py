"""The record of a repository's last scrub. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class ScrubRecord:
    """How the last scrub of a repository went."""

    kind: ClassVar[str] = "scrub"
    repository: str
    when: str
    share: str  # like 3/30
    number: int  # of that share
    good: bool
    message: str = ""

    @property
    def subject(self) -> str:
        """The repository's name."""
        return self.repository

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts, repository="service", share="set_name", message="said"))
