"""What will soon be wrong: a disk that fills up, scarce memory, many restarts, proofs that expire. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from darkpeak.collective.model import Collective, Service
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.machines import DiskRecord, MemoryRecord, RestartsRecord
from darkpeak.evidence.people import AdminRecord, ReviewRecord
from darkpeak.evidence.record import Records, age_days
from darkpeak.evidence.summary import DRILL_TERM
from darkpeak.levels.requirements import ADMIN_TERM, REVIEW_TERM
from darkpeak.vocabulary import GIB, MIB

ADMIN_EARLY, REVIEW_EARLY, DRILL_EARLY = 14.0, 28.0, 7.0  # days before the end of a term
PROMISING = ("beta", "live")  # levels that need proofs


@dataclass(frozen=True)
class Alarm:
    """What will soon be wrong: what it is about, and what to do."""

    about: str
    message: str


def of_disk(disk: DiskRecord) -> Iterator[Alarm]:
    """Yield an alarm if the disk is full in a week, at the rate of the last nights."""
    if disk.alarm and disk.days_left is not None:
        about = f"disk of {disk.host}" if disk.host else "disk"
        left = f"{disk.days_left:.0f} days" if disk.days_left >= 1 else "a day"
        free = f"{disk.free / GIB:.1f} GiB are free"
        what = f"it will be full in {left} at this rate, {free}; remove old images: darkpeak clean"
        yield Alarm(about, what)


def of_memory(memory: MemoryRecord) -> Iterator[Alarm]:
    """Yield an alarm if the machine has little memory left."""
    if memory.alarm:
        about = f"memory of {memory.host}" if memory.host else "memory"
        free = f"only {memory.free / MIB:.0f} of {memory.total / MIB:.0f} MiB can still be used"
        yield Alarm(about, f"{free}; see which service needs most: darkpeak site --admins --to DIR")


def of_restarts(found: RestartsRecord, last: RestartsRecord | None) -> Iterator[Alarm]:
    """Yield an alarm if a container of the service was restarted again and again since the last night."""
    again = found.again(last)
    if again:
        how = f"see why: darkpeak logs {found.service}"
        what = f"a container ended and was restarted {again} times since the last night; {how}"
        yield Alarm(f"restarts of {found.service}", what)


def of_proofs(collective: Collective, service: Service, records: Records, at: datetime) -> Iterator[Alarm]:
    """Yield an alarm for each proof of a beta or live service that expires soon, or has expired."""
    if service.level not in PROMISING:
        return
    review = records.find(ReviewRecord, service.name)
    if review:
        how = f"review it together: darkpeak review {service.name}"
        yield from _expiring(f"review of {service.name}", review.when, REVIEW_TERM, REVIEW_EARLY, how, at)
    drilled = records.find(DrillRecord, service.name)
    if drilled and drilled.good and service.level == PROMISING[-1]:
        how = f"drill it: darkpeak drill {service.name}"
        yield from _expiring(f"drill of {service.name}", drilled.when, DRILL_TERM, DRILL_EARLY, how, at)
    known = {admin.name for admin in collective.admins}
    for name in service.admins:
        proof = records.find(AdminRecord, name) if name in known else None
        if proof:
            yield from _expiring(
                f"proof of {name}", proof.when, ADMIN_TERM, ADMIN_EARLY, f"{name} runs: darkpeak admin check", at
            )


def _expiring(about: str, when: str, term: float, early: float, how: str, at: datetime) -> Iterator[Alarm]:  # noqa: PLR0913, PLR0917 (one proof, and what to say)
    left = term - age_days(when, at)
    if left < early:
        said = f"it expires in {left:.0f} days" if left >= 1 else "it expires today" if left >= 0 else "it has expired"
        yield Alarm(about, f"{said}; {how}")
