"""What a record is, and how records are read back: of each kind and subject, the newest counts. Pure.

A kind of record is a frozen dataclass with `kind`, `subject` and `when`; each family has a file of its own here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

DAY_SECONDS = 86400


class Record(Protocol):
    """Something that happened, as of the newest time."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def subject(self) -> str:
        """What it happened to: a service, a repository, the collective."""

    @property
    def when(self) -> str:
        """When, as ISO 8601 in UTC."""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Make one of what was read back; raises ValueError, KeyError or TypeError where that is none."""


R = TypeVar("R", bound=Record)


def now() -> str:
    """Return the time, as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def age_days(when: str, at: datetime) -> float:
    """Return how many days before `at` something happened."""
    return (at - datetime.fromisoformat(when)).total_seconds() / DAY_SECONDS


def to_text(record: Record) -> str:
    """Return a record as it is kept."""
    return json.dumps({"kind": record.kind, **asdict(record)})


class Records:
    """What one engine has, as texts."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._facts = [facts for text in texts if (facts := _parse(text))]

    def all(self, kind: type[R]) -> list[R]:
        """Return the newest record of a kind for each subject."""
        found: dict[str, R] = {}
        for facts in (item for item in self._facts if item.get("kind") == kind.kind):
            try:
                record = kind.from_facts(facts)
            except (ValueError, KeyError, TypeError):
                continue  # damaged, or of a version to come
            known = found.get(record.subject)
            if known is None or record.when >= known.when:
                found[record.subject] = record
        return [found[subject] for subject in sorted(found)]

    def find(self, kind: type[R], subject: str) -> R | None:
        """Return the newest record of a kind for a subject."""
        return next((record for record in self.all(kind) if record.subject == subject), None)


def pick(kind: type[Record], facts: Mapping[str, Any], **renamed: str) -> dict[str, Any]:
    """Return the values for a record's fields; `renamed` has the names that earlier versions gave to some."""
    names = {field.name: renamed.get(field.name, field.name) for field in fields(kind)}
    return {name: facts.get(name, facts.get(before)) for name, before in names.items() if {name, before} & set(facts)}


def _parse(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
