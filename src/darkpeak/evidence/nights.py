"""The record of the last nightly run: when it was, and what needs attention. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from darkpeak.evidence.record import pick


@dataclass(frozen=True)
class NightRecord:
    """How the last nightly run went."""

    kind: ClassVar[str] = "night"
    collective: str
    when: str
    attention: tuple[str, ...] = ()  # services, repositories and jobs that a person must look at

    @property
    def subject(self) -> str:
        """The collective's name."""
        return self.collective

    @property
    def good(self) -> bool:
        """Whether nothing needs attention."""
        return not self.attention

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        values = pick(cls, facts, collective="service", attention="said")
        attention = values.get("attention", ())
        values["attention"] = tuple(attention.split("; ") if isinstance(attention, str) and attention else attention)
        return cls(**values)
