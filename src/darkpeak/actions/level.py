"""Which levels services have: what is known of each, from its files, its engine and the records there."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from darkpeak.actions.uptime import read_seen
from darkpeak.caller import commit_of, who
from darkpeak.collective.model import Finding, Service
from darkpeak.collective.recipients import openers
from darkpeak.deploy.check import check_files
from darkpeak.deploy.reach import find_rows
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.measured import LevelRecord
from darkpeak.evidence.people import ReviewRecord
from darkpeak.evidence.record import Records, now
from darkpeak.levels.facts import Facts
from darkpeak.levels.judge import Judged, is_lost, judge
from darkpeak.plan.certificates import list_certificates
from darkpeak.plan.observed import Observed
from darkpeak.plan.plan import make_plan
from darkpeak.schedule.notices import Line

UPTIME_DAYS = 90


def find_levels(targets: Sequence[Target], at: datetime | None = None, *, night: bool = False) -> list[Judged]:
    """Return all services of the targets with their levels at a moment; of an engine that fails, nothing is known.

    With `night`, the nightly jobs are running at this moment.
    """
    moment = at or datetime.now(UTC)
    faults = check_files(targets[0].collective.root).faults if targets else ()
    found = [facts for target in targets for facts in find_facts(target, moment, faults)]
    return judge([replace(facts, night=True) for facts in found] if night else found)


def find_facts(target: Target, at: datetime, faults: Sequence[Finding]) -> list[Facts]:
    """Return what is known about each service on one engine; if it fails, only what the files say."""
    try:
        found = _find(target, at)
    except SystemFailure as error:
        none = Records(())
        found = [Facts(target.collective, one, at, none, target.host, unknown=error.message) for one in target.services]
    can_open = openers(target.collective)
    return [
        replace(facts, openers=can_open, faults=tuple(one for one in faults if one.at.service == facts.service.name))
        for facts in found
    ]


def review(target: Target, note: str) -> ReviewRecord:
    """Record that the caller reviewed the target's service at the level that it claims.

    Raises:
        SystemFailure: when the engine does not record it.
    """
    record = ReviewRecord(target.service.name, now(), who(), target.service.level, note)
    store.write(target.engine, record)
    return record


def record_levels(targets: Sequence[Target]) -> list[Line]:
    """Record each service's level, for `status`; return a line for each one that lost the level that it claims.

    It is a part of the night, so this night counts already. Of an engine that fails, nothing is recorded.
    """
    judged = find_levels(targets, night=True)
    lines = list[Line]()
    for target in targets:
        with suppress(SystemFailure):  # the night's other jobs say so
            lines += _record(target, [item for item in judged if item.host == target.host and not item.unknown])
    return lines


def _record(target: Target, judged: Sequence[Judged]) -> list[Line]:
    records, lines = store.read(target.engine), list[Line]()
    for one in judged:
        lost = is_lost(one, records.find(LevelRecord, one.service))
        store.write(target.engine, LevelRecord(one.service, now(), one.measured, lost))
        lines += [_lost_line(one)] if lost else []
    return lines


def _lost_line(judged: Judged) -> Line:
    missing = "; ".join(f"{row.requirement}: {row.why}" for row in judged.lacking(judged.claimed))
    return Line(f"level of {judged.service}", good=False, message=f"no longer {judged.claimed}: {missing}")


def _find(target: Target, at: datetime) -> list[Facts]:
    observed = target.engine.observe()
    states = {row.service: row.state for row in find_rows(target, observed)}
    records = store.read(target.engine)
    drift = _drift(target, observed)
    seen = read_seen(target, observed)
    failed = _failed_certificates(target, observed, at)
    return [
        Facts(
            target.collective,
            service,
            at,
            records,
            target.host,
            state=states[service.name],
            drift=drift.get(service.name, ()),
            commit=commit_of(service.folder),
            uptime=seen.of(target, service, UPTIME_DAYS, at) if seen else None,
            certificates=_own(target, service, failed),
        )
        for service in target.services
    ]


def _drift(target: Target, observed: Observed) -> dict[str, tuple[str, ...]]:
    """Return how each service differs from its files, in words."""
    plan = make_plan(target.collective, observed, frozenset(item.name for item in target.services))
    return {
        item.service: tuple(f"{change.container}: {change.cause}" for change in item.changes) for item in plan.changes
    }


def _failed_certificates(target: Target, observed: Observed, at: datetime) -> dict[str, str]:
    """Return what is wrong with certificates, by the names in them."""
    router = find_router(target.collective, target.engine, observed) if target.collective.certificates else None
    if router is None:
        return {}
    rows = list_certificates(target.collective, observed, router.certificates(), at.timestamp())
    return {name: row.failed or "it is not valid" for row in rows if not row.sound for name in row.names}


def _own(target: Target, service: Service, failed: dict[str, str]) -> tuple[str, ...]:
    hosts = [route.host(target.collective.domain) for route in service.routes.named]
    return tuple(f"{host}: {failed[host]}" for host in hosts if host in failed)
