"""What a record is, and how records are read back: for each kind and subject, only the newest counts. Pure.

A kind of record is a frozen dataclass with `kind`, `subject` and `when`. Each family of kinds has its own file here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

DAY_SECONDS = 86400


class Record(Protocol):
    """A record of something that happened."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def subject(self) -> str:
        """What it is about: the name of a service, of a repository, or of the collective."""

    @property
    def when(self) -> str:
        """When it happened, as ISO 8601 in UTC."""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back.

        Raises:
            ValueError, KeyError, TypeError: when these are not facts of such a record.
        """


R = TypeVar("R", bound=Record)


def now() -> str:
    """Return the present time as ISO 8601 in UTC, as in records."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def age_days(when: str, at: datetime) -> float:
    """Return how many days before `at` something happened."""
    return (at - datetime.fromisoformat(when)).total_seconds() / DAY_SECONDS


def to_text(record: Record) -> str:
    """Return a record as JSON, as it is kept."""
    return json.dumps({"kind": record.kind, **asdict(record)})


class Records:
    """The records of one engine, from their texts."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._facts = [facts for text in texts if (facts := _parse(text))]

    def all(self, kind: type[R]) -> list[R]:
        """Return the newest record of a kind for each subject."""
        found: dict[str, R] = {}
        for facts in (item for item in self._facts if item.get("kind") == kind.kind):
            try:
                record = kind.from_facts(facts)
            except (ValueError, KeyError, TypeError):
                continue  # damaged, or written by a later version
            known = found.get(record.subject)
            if known is None or record.when >= known.when:
                found[record.subject] = record
        return [found[subject] for subject in sorted(found)]

    def find(self, kind: type[R], subject: str) -> R | None:
        """Return the newest record of a kind for a subject."""
        return next((record for record in self.all(kind) if record.subject == subject), None)


def pick(kind: type[Record], facts: Mapping[str, Any], **renamed: str) -> dict[str, Any]:
    """Return the values of a record's fields; `renamed` has the old names of some fields."""
    names = {field.name: renamed.get(field.name, field.name) for field in fields(kind)}
    return {name: facts.get(name, facts.get(before)) for name, before in names.items() if {name, before} & set(facts)}


def _parse(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
