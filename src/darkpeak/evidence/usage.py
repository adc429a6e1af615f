"""The record of what a service used in each of the last nights: memory, processor, data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from darkpeak.evidence.record import DAY_SECONDS, age_days, pick
from darkpeak.plan.usage import Counted

KEPT = 60  # nights
NANO = 1_000_000_000


class Night(NamedTuple):
    """What a service used when the nightly jobs looked."""

    when: str
    memory: int  # bytes
    processor: float  # cores: the mean since the night before
    data: int | None = None  # bytes in its newest snapshot


@dataclass(frozen=True)
class UsageRecord:
    """What a service used in the last nights, and the processor time of its containers at the last one."""

    kind: ClassVar[str] = "usage"
    service: str
    when: str
    nights: tuple[Night, ...] = ()  # the oldest first
    counted: tuple[tuple[str, str, int], ...] = ()  # container, when it was started, nanoseconds

    @property
    def subject(self) -> str:
        """The service's name."""
        return self.service

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record of facts that were read back."""
        values = pick(cls, facts)
        values["nights"] = tuple(_night(*night) for night in values.get("nights", ()))
        values["counted"] = tuple((str(one), str(began), int(used)) for one, began, used in values.get("counted", ()))
        return cls(**values)

    @classmethod
    def after(
        cls, last: "UsageRecord | None", service: str, when: str, found: Sequence[Counted], data: int | None
    ) -> Self:
        """Return the record of a new night."""
        night = Night(when, sum(item.memory for item in found), _cores(last, when, found), data)
        nights = (*(last.nights if last else ()), night)[-KEPT:]
        return cls(service, when, nights, tuple((item.id, item.began, item.processor) for item in found))


def _cores(last: UsageRecord | None, when: str, found: Sequence[Counted]) -> float:
    """Return how many cores the containers used, as the mean since the last night, or since they were started."""
    before = {(one, began): used for one, began, used in last.counted} if last else {}
    at, cores = datetime.fromisoformat(when), 0.0
    for item in found:
        known = before.get((item.id, item.began))
        since = item.began if known is None or last is None else last.when
        seconds = age_days(since, at) * DAY_SECONDS
        if seconds > 0:
            cores += max(0, item.processor - (known or 0)) / NANO / seconds
    return round(cores, 5)


def _night(when: str, memory: float, processor: float, data: float | None = None) -> Night:
    return Night(str(when), int(memory), float(processor), None if data is None else int(data))
