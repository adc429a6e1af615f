"""What `status` says of backups: how old the newest set is, and when one was last restored. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from darkpeak.evidence.records import BACKUP, DRILL, NIGHT, Record

TERMS = {BACKUP: 2.0, DRILL: 35.0, NIGHT: 2.0}  # days, after which silence is an alarm
HOUR, DAY = 1 / 24, 1.0


def describe(records: Iterable[Record], services: Iterable[str], now: datetime) -> Mapping[str, tuple[str, str]]:
    """Return for each service in a few words: its newest set, its last drill. NEVER, OVERDUE and FAILED are shouted."""
    found = {(record.kind, record.service): record for record in records}
    return {
        name: (_say(found.get((BACKUP, name)), BACKUP, now), _say(found.get((DRILL, name)), DRILL, now))
        for name in services
    }


def describe_night(records: Iterable[Record], collective: str, now: datetime) -> str:
    """Return in a few words when `darkpeak nightly` last ran, and what it wanted somebody to look after."""
    last = next((record for record in records if (record.kind, record.service) == (NIGHT, collective)), None)
    if last is None:
        return "NEVER"
    age = _age(last.age_days(now))
    if overdue(last, NIGHT, now):
        return f"OVERDUE, {age}"
    return age if last.good else f"FAILED {age}: somebody must look after {', '.join(last.said.split('; '))}"


def overdue(record: Record | None, kind: str, now: datetime) -> bool:
    """Say whether there should have been another by now."""
    return record is None or not record.snapshot_name or abs(record.age_days(now)) > TERMS[kind]


def _say(record: Record | None, kind: str, now: datetime) -> str:
    if record is None:
        return "NEVER"
    if not record.snapshot_name:
        return f"FAILED: {record.said}"
    age = _age(record.age_days(now))
    took = f", {record.seconds:.0f} s" if record.seconds else ""
    if not record.good:
        return f"FAILED, {record.snapshot_name} {age}: {record.said}"
    return ("OVERDUE, " if overdue(record, kind, now) else "") + f"{record.snapshot_name} {age}{took}"


def _age(days: float) -> str:
    if days < -DAY:
        return f"by a clock {-days:.0f} d ahead"
    if days < HOUR:
        return "just now"
    return f"{days * 24:.0f} h ago" if days < 2 * DAY else f"{days:.0f} d ago"
