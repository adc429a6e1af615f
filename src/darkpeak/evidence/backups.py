"""The record of a service's newest backup, with what the next one is compared with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class BackupRecord:
    """How the last backup went; if it failed, `snapshot` is still the newest that exists."""

    kind: ClassVar[str] = "backup"
    service: str
    when: str  # of the snapshot
    snapshot: str  # its name, empty if there is none
    good: bool
    problems: tuple[str, ...] = ()
    number: int = 0
    sizes: tuple[tuple[str, int], ...] = ()  # bytes of each part
    unchanged: tuple[tuple[str, str, str], ...] = ()  # of each part: name, hash, since when

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        values = pick(cls, facts, snapshot="set_name", problems="said", unchanged="seen")
        problems = values.get("problems", ())
        values["problems"] = tuple(problems.split("; ") if isinstance(problems, str) and problems else problems)
        values["sizes"] = tuple((str(name), int(size)) for name, size in values.get("sizes", ()))
        unchanged = values.get("unchanged", ())
        values["unchanged"] = tuple((str(name), str(digest), str(since)) for name, digest, since in unchanged)
        return cls(**values)
