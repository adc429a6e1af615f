"""The records of what people proved and did: an admin's access, and the yearly review of a service. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class AdminRecord:
    """What an admin proved with their own ssh key; one that is old proves nothing any more."""

    kind: ClassVar[str] = "admin"
    admin: str
    when: str
    opens_key: bool  # the backup key; also true in a collective without one
    is_member: bool  # of the directory; also true in a collective without one

    @property
    def subject(self) -> str:
        """The admin's name."""
        return self.admin

    @property
    def good(self) -> bool:
        """Whether nothing is missing. That the engine answered is proved by the record, which is kept on it."""
        return self.opens_key and self.is_member

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))


@dataclass(frozen=True)
class ReviewRecord:
    """The last review of a service: who looked at it, when, and the level that they agreed to."""

    kind: ClassVar[str] = "review"
    service: str
    when: str
    who: str
    level: str
    note: str = ""

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))
