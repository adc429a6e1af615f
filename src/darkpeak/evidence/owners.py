"""The record of the collective to which an engine belongs, and what is said if that is another one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.collective.model import Collective, Place
from darkpeak.collective.text import read_or_empty
from darkpeak.collective.tree import toml_line
from darkpeak.errors import UsageError
from darkpeak.evidence.record import pick
from darkpeak.vocabulary import COLLECTIVE_FILE

ENGINE = "engine"


@dataclass(frozen=True)
class OwnerRecord:
    """The collective whose services run on this engine, as its files were at the last `up`."""

    kind: ClassVar[str] = "owner"
    id: str  # of collective.toml
    when: str
    name: str
    domain: str

    @property
    def subject(self) -> str:
        """The engine itself: there is one such record on each engine."""
        return ENGINE

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        return cls(**pick(cls, facts))


def is_ours(collective: Collective, known: OwnerRecord) -> bool:
    """Return whether a record is of this collective: by its id, or without an id by its name and domain."""
    if collective.id:
        return collective.id == known.id
    return (collective.name, collective.domain) == (known.name, known.domain)


def foreign(collective: Collective, known: OwnerRecord, engine: str) -> UsageError:
    """Return the error for an engine, by its name, that belongs to another collective."""
    whose = f"{known.name} ({known.domain})"
    return UsageError(
        f"the engine at {engine} belongs to another collective, {whose}; nothing was touched",
        where=f"{_place(collective, 'name')}: this one is {collective.name} ({collective.domain})",
        hint="their services would have the same names and ports, so use another engine: --host, DOCKER_HOST;"
        f' if it is the same collective, write into {COLLECTIVE_FILE}: id = "{known.id}"',
    )


def other_domain(collective: Collective, known: OwnerRecord, engine: str) -> UsageError:
    """Return the error for an engine, by its name, whose CA is for the domain before."""
    return UsageError(
        f"the domain is now {collective.domain}, but the CA on the engine at {engine} is for {known.domain};"
        " nothing was touched",
        where=str(_place(collective, "domain")),
        hint=f'write there again: domain = "{known.domain}"; then: darkpeak domain {collective.domain} --dry-run',
    )


def _place(collective: Collective, key: str) -> Place:
    text = read_or_empty(collective.root / COLLECTIVE_FILE)
    return Place(COLLECTIVE_FILE, toml_line(text, key))
