"""Prove that an admin can really do something: with their own ssh key, on every engine, now."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.actions.directory import running_directory
from darkpeak.collective.model import Collective
from darkpeak.collective.settings import Admin
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.people import AdminRecord
from darkpeak.evidence.record import now
from darkpeak.evidence.summary import is_overdue
from darkpeak.levels.requirements import ADMIN_TERM
from darkpeak.vocabulary import DIRECTORY

NO_DIRECTORY = "the directory does not answer"


@dataclass(frozen=True)
class Proof:
    """One thing that an admin must be able to do, and whether it worked."""

    what: str
    good: bool
    message: str


def prove(collective: Collective, targets: Sequence[Target], admin: Admin, opens_key: Proof) -> list[Proof]:
    """Return what an admin can do, and record it on every engine that answers; `opens_key` was tried before.

    If the directory does not answer, nothing is recorded: an earlier proof still counts.

    Raises:
        SystemFailure: when an engine answers, but does not record it.
    """
    reached = [_reach(target) for target in targets]
    member = _is_member(collective, targets, admin)
    record = AdminRecord(admin.name, now(), opens_key.good, member.good)
    for target, proof in zip(targets, reached, strict=True):
        if proof.good and member.message != NO_DIRECTORY:
            store.write(target.engine, record)
    return [*reached, opens_key, member]


@dataclass(frozen=True)
class AdminRow:
    """One row of `darkpeak admin list`: an admin on one host."""

    admin: str
    host: str
    proved: str  # the day of the proof, or NEVER; after half a year OVERDUE and the day
    opens_key: str
    is_member: str
    board: str
    services: tuple[str, ...]


def list_admins(target: Target) -> Iterator[AdminRow]:
    """Yield all admins, with their newest proof on an engine.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    records = store.read(target.engine)
    for admin in target.collective.admins:
        record = records.find(AdminRecord, admin.name)
        services = tuple(service.name for service in target.services if admin.name in service.admins)
        yield _row(admin, target.host, record, services)


def _row(admin: Admin, host: str, record: AdminRecord | None, services: tuple[str, ...]) -> AdminRow:
    board = "yes" if admin.board else ""
    if record is None:
        return AdminRow(admin.name, host, "NEVER", "", "", board, services)
    opens, member = ("yes" if good else "no" for good in (record.opens_key, record.is_member))
    late = "OVERDUE " if is_overdue(record.when, ADMIN_TERM, datetime.now(UTC)) else ""
    return AdminRow(admin.name, host, late + record.when[:10], opens, member, board, services)


def _reach(target: Target) -> Proof:
    what = f"reach {target.host or 'the engine'}"
    try:
        target.engine.observe()
    except SystemFailure as error:
        return Proof(what, good=False, message=error.message)
    return Proof(what, good=True, message=target.engine.name)


def _is_member(collective: Collective, targets: Sequence[Target], admin: Admin) -> Proof:
    what = "be a member"
    if not _has_directory(collective):
        return Proof(what, good=True, message="the collective has no directory")
    for target in targets:
        with suppress(SystemFailure):
            directory = running_directory(target, target.engine.observe())
            if directory:
                known = admin.name in {member.uid for member in directory.members()}
                return Proof(what, known, f"{admin.name} is {'' if known else 'not '}in the directory")
    return Proof(what, good=False, message=NO_DIRECTORY)


def _has_directory(collective: Collective) -> bool:
    return any(service.name == DIRECTORY for service in collective.services)
