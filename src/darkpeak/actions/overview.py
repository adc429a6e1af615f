"""Find all that the pages for admins show: from the files, the engines, and the records there."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from darkpeak.actions.certificates import find_certificates
from darkpeak.actions.level import find_levels
from darkpeak.actions.site import find_site
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.target import Target
from darkpeak.engine.facts import gather
from darkpeak.errors import SystemFailure
from darkpeak.evidence import deploys, store, summary
from darkpeak.evidence.deploys import Deploy
from darkpeak.evidence.machines import DiskRecord
from darkpeak.evidence.record import Records
from darkpeak.evidence.usage import NANO, Night, UsageRecord
from darkpeak.levels.judge import Judged
from darkpeak.plan.usage import Counted
from darkpeak.site.facts import Card, Site
from darkpeak.site.overview import Certificate, Machine, Need, Overview, Past, Row, Use

ALARMS = (summary.NEVER, summary.OVERDUE, summary.FAILED)
DEPLOYS_SHOWN = 10
LONGEST_DAYS = 730.0  # a disk that is full in more than two years needs no date
Counts = dict[tuple[str, str], list[Counted]]  # by host and project


def find_overview(collective: Collective, targets: Sequence[Target]) -> Overview:
    """Return what the page for admins shows; of an engine that does not answer, only what the files say."""
    began, first = time.monotonic(), _count(targets)
    site = find_site(collective, targets)
    levels = {(judged.host, judged.service): judged for judged in find_levels(targets, site.at)}
    cards = {card.name: card for card in site.services}
    machines = {target.host: _machine(target, collective) for target in targets}
    used = _used(first, _count(targets), time.monotonic() - began, site.at)
    rows, nights = list[Row](), set[str]()
    for target in targets:
        records, past = _read(target)
        machines[target.host] = _with_date(machines[target.host], records)
        nights.add(summary.describe_night(records, collective.name, site.at))
        for service in target.services:
            judged = levels[target.host, service.name]
            now = used.get((target.host, service.project))
            rows.append(_row(target, service, cards[service.name], judged, past, records, now, site))
    certificates = list[Certificate]()
    for target in targets:
        with suppress(SystemFailure):  # without a router there are none
            certificates += [Certificate(row.names, row.until, row.failed) for row in find_certificates(target)]
    saved = bool(collective.backup.repositories)
    nightly = "; ".join(sorted(nights)) if saved else ""
    return Overview(
        site, tuple(rows), tuple(filter(None, machines.values())), tuple(certificates), nightly, _is_alarm(nightly)
    )


def _read(target: Target) -> tuple[Records, Sequence[Deploy]]:
    """Return the records of an engine, and the last deploys; nothing if it does not answer."""
    try:
        return store.read(target.engine), deploys.read(target.engine)
    except SystemFailure:
        return Records(()), ()


def _count(targets: Sequence[Target]) -> Counts:
    """Return what the engines have counted of the running containers, by host and project."""
    found: Counts = {}
    for target in targets:
        with suppress(SystemFailure):  # the pages say which engine does not answer
            observed = target.engine.observe()
            for service in target.running:
                containers = (item.id for item in observed.of(service.project))
                found[target.host, service.project] = target.engine.usage(containers)
    return found


def _used(first: Counts, then: Counts, seconds: float, at: datetime) -> Mapping[tuple[str, str], Use]:
    """Return what services use: their memory, and the processor between two looks."""
    found = {}
    for where, counted in then.items():
        before = {(item.id, item.began): item.processor for item in first.get(where, ())}
        spent = sum(item.processor - before.get((item.id, item.began), item.processor) for item in counted)
        memory = sum(item.memory for item in counted)
        if counted:
            found[where] = Use(at.timestamp(), memory, max(0, spent) / NANO / max(seconds, 0.1))
    return found


def _row(  # noqa: PLR0913, PLR0917 (all that a row shows)
    target: Target,
    service: Service,
    card: Card,
    judged: Judged,
    past: Sequence[Deploy],
    records: Records,
    now: Use | None,
    site: Site,
) -> Row:
    proofs = summary.describe(records, [service.name], site.at)[service.name]
    saves = bool(target.collective.backup.repositories) and service.runs and service.owns_data and bool(card.state)
    late = [("backup", proofs.saved), ("drill", proofs.drilled)] if saves else []
    own = tuple(_past(item) for item in past if item.service == service.name)[:DEPLOYS_SHOWN]
    last = f"{own[0].when} by {own[0].who}, {own[0].commit or 'no commit'}: {own[0].outcome}" if own else ""
    usage = records.find(UsageRecord, service.name)
    return Row(
        service.name,
        target.host,
        card.claimed,
        card.level,
        card.state,
        card.admins,
        last,
        proofs.saved if saves else "",
        proofs.drilled if saves else "",
        tuple(name for name, words in late if _is_alarm(words)),
        card.proofs.data,
        card.proofs.security,
        judged.lacks,
        now,
        tuple(_use(night) for night in usage.nights) if usage else (),
        tuple(Need(row.level, row.requirement, row.met, row.why, row.next) for row in judged.rows),
        own,
    )


def _past(item: Deploy) -> Past:
    return Past(item.when[:16].replace("T", " "), item.who, item.commit, item.what, item.outcome)


def _use(night: Night) -> Use:
    return Use(datetime.fromisoformat(night.when).timestamp(), night.memory, night.processor, night.data)


def _machine(target: Target, collective: Collective) -> Machine | None:
    try:
        facts = gather(target.engine, collective)
    except SystemFailure:
        return None
    found = facts.machine
    if not found:
        return None
    return Machine(target.host, found.disk_free, found.disk_total, found.memory_free, facts.memory_total)


def _with_date(machine: Machine | None, records: Records) -> Machine | None:
    """Return a machine with the day on which its disk is full, as the last night saw it."""
    disk = next((item for item in records.all(DiskRecord) if machine and item.host == machine.name), None)
    if not machine or not disk or disk.days_left is None or disk.days_left > LONGEST_DAYS:
        return machine
    return replace(machine, full=datetime.fromisoformat(disk.when) + timedelta(days=disk.days_left))


def _is_alarm(words: str) -> bool:
    return words.startswith(ALARMS)
