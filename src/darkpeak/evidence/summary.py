"""What `status` shows about backups, drills and nights: how old each is, and whether it is overdue. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.record import Records, age_days

BACKUP_TERM, DRILL_TERM, NIGHT_TERM = 2.0, 35.0, 2.0  # days; older ones are overdue
HOUR, DAY = 1 / 24, 1.0
NEVER, OVERDUE, FAILED = "NEVER", "OVERDUE", "FAILED"


@dataclass(frozen=True)
class Proofs:
    """A service's last backup and drill, in a few words. NEVER, OVERDUE and FAILED are alarms."""

    saved: str
    drilled: str


def describe(records: Records, services: Iterable[str], now: datetime) -> Mapping[str, Proofs]:
    """Return each service's newest backup and last drill, in a few words."""
    return {
        name: Proofs(
            _describe_backup(records.find(BackupRecord, name), now),
            _describe_drill(records.find(DrillRecord, name), now),
        )
        for name in services
    }


def describe_night(records: Records, collective: str, now: datetime) -> str:
    """Return when the nightly jobs last ran, and what needs attention, in a few words."""
    last = records.find(NightRecord, collective)
    if last is None:
        return NEVER
    age = _age(age_days(last.when, now))
    if is_overdue(last.when, NIGHT_TERM, now):
        return f"{OVERDUE}, {age}"
    return age if last.good else f"{FAILED} {age}: needs attention: {', '.join(last.attention)}"


def is_overdue(when: str, term: float, now: datetime) -> bool:
    """Return whether something is older than a term in days; a time far in the future also counts as overdue."""
    return abs(age_days(when, now)) > term


def _describe_backup(record: BackupRecord | None, now: datetime) -> str:
    if record is None:
        return NEVER
    problems = "; ".join(record.problems)
    if not record.snapshot:
        return f"{FAILED}: {problems}"
    age = _age(age_days(record.when, now))
    if not record.good:
        return f"{FAILED}, {record.snapshot} {age}: {problems}"
    return _overdue(record.when, BACKUP_TERM, now) + f"{record.snapshot} {age}"


def _describe_drill(record: DrillRecord | None, now: datetime) -> str:
    if record is None:
        return NEVER
    age = _age(age_days(record.when, now))
    if not record.good:
        return f"{FAILED}, {record.snapshot} {age}: {record.message}"
    took = f", {record.seconds:.0f} s" if record.seconds else ""
    return _overdue(record.when, DRILL_TERM, now) + f"{record.snapshot} {age}{took}"


def _overdue(when: str, term: float, now: datetime) -> str:
    return f"{OVERDUE}, " if is_overdue(when, term, now) else ""


def _age(days: float) -> str:
    if days < -DAY:
        return f"{-days:.0f} d in the future (a clock is wrong)"
    if days < HOUR:
        return "just now"
    return f"{days * 24:.0f} h ago" if days < 2 * DAY else f"{days:.0f} d ago"
