"""Announce planned work and other news to members; list and remove announcements."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from darkpeak.actions.routes import check_notice
from darkpeak.caller import who
from darkpeak.deploy.target import Target
from darkpeak.errors import UsageError
from darkpeak.evidence import store
from darkpeak.evidence.announcements import AnnouncementRecord, announced
from darkpeak.evidence.ownership import require_ours

KEPT = timedelta(days=400)  # after its end: uptime is shown for a year
LONGEST = timedelta(days=14)  # of planned work; what takes longer is an outage to members
SOON = timedelta(minutes=5)  # a clock may be wrong by that


def announce(
    targets: Sequence[Target],
    text: str,
    service: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> AnnouncementRecord:
    """Record an announcement on the engines that it concerns; return it.

    Raises:
        UsageError: when the text is empty or too long, when its time is in the past, ends before it begins or is longer
            than LONGEST, or when an engine belongs to another collective.
        SystemFailure: when an engine does not record it.
    """
    check_notice(text)
    now = datetime.now(UTC)
    check_time(now, since or now, until)
    begins, ends = (since or now).isoformat(timespec="seconds"), until.isoformat(timespec="seconds") if until else ""
    words = " ".join(text.split())
    made = AnnouncementRecord(
        uuid.uuid4().hex[:6], now.isoformat(timespec="seconds"), who(), words, service, begins, ends
    )
    for target in targets:
        require_ours(target.collective, target.engine)
    for target in targets:
        _forget_old(target, now)
        store.write(target.engine, made)
    return made


def find_announcements(targets: Sequence[Target], at: datetime | None = None) -> list[AnnouncementRecord]:
    """Return the announcements that are not over, the earliest first.

    Raises:
        SystemFailure: when an engine does not answer.
    """
    found = announced(store.read(target.engine) for target in targets)
    return [item for item in found if not item.is_over(at or datetime.now(UTC))]


def withdraw(targets: Sequence[Target], known: str) -> AnnouncementRecord:
    """Remove an announcement, by its id. One that has begun ends now: what was planned until now stays planned.

    Raises:
        UsageError: when there is none with this id.
        SystemFailure: when an engine does not answer.
    """
    now = datetime.now(UTC)
    removed = next((item for item in find_announcements(targets, now) if item.id == known), None)
    if removed is None:
        raise UsageError(f"there is no announcement {known}", hint="list them: darkpeak announce")
    begun = datetime.fromisoformat(removed.since) < now
    for target in targets:
        if store.find(target.engine, AnnouncementRecord, known) is None:
            continue
        if begun and removed.until:
            ended = replace(removed, until=now.isoformat(timespec="seconds"))
            store.write(target.engine, ended)
        else:
            store.remove(target.engine, AnnouncementRecord, known)
    return removed


def check_time(now: datetime, since: datetime, until: datetime | None) -> None:
    """Check the time of an announcement that is made now.

    Raises:
        UsageError: when it is in the past, ends before it begins, or is longer than LONGEST.
    """
    if since < now - SOON:
        raise UsageError("--from is in the past", hint="announce work before it begins; without --from, it begins now")
    if until and until <= max(since, now):
        raise UsageError("--until is in the past, or not after --from", hint='for instance: --until "2030-01-31 20:00"')
    if until and until - since > LONGEST:
        what = f"planned work of more than {LONGEST.days} days is an outage to members"
        raise UsageError(what, hint="announce a shorter time, or leave --until out")


def _forget_old(target: Target, now: datetime) -> None:
    for item in store.read(target.engine).all(AnnouncementRecord):
        if item.is_over(now - KEPT):
            store.remove(target.engine, AnnouncementRecord, item.id)
