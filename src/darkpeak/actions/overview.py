"""Find all that the page for admins shows: from the files, the engines, and the records there."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from darkpeak.actions.certificates import find_certificates
from darkpeak.actions.level import find_levels
from darkpeak.actions.site import find_site
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.target import Target
from darkpeak.engine.facts import gather
from darkpeak.errors import SystemFailure
from darkpeak.evidence import deploys, store, summary
from darkpeak.evidence.deploys import Deploy
from darkpeak.evidence.record import Records
from darkpeak.site.facts import Card, Site
from darkpeak.site.overview import Certificate, Machine, Overview, Row

ALARMS = (summary.NEVER, summary.OVERDUE, summary.FAILED)


def find_overview(collective: Collective, targets: Sequence[Target]) -> Overview:
    """Return what the page for admins shows; of an engine that does not answer, only what the files say."""
    site = find_site(collective, targets)
    levels = {(judged.host, judged.service): judged for judged in find_levels(targets, site.at)}
    cards = {card.name: card for card in site.services}
    rows, nights, machines = list[Row](), set[str](), list[Machine]()
    for target in targets:
        records, last = _read(target)
        nights.add(summary.describe_night(records, collective.name, site.at))
        machines += _machine(target, collective)
        for service in target.services:
            judged = levels[target.host, service.name]
            rows.append(_row(target, service, cards[service.name], judged.lacks, last, records, site))
    certificates = list[Certificate]()
    for target in targets:
        with suppress(SystemFailure):  # without a router there are none
            certificates += [Certificate(row.names, row.until, row.failed) for row in find_certificates(target)]
    saved = bool(collective.backup.repositories)
    nightly = "; ".join(sorted(nights)) if saved else ""
    return Overview(site, tuple(rows), tuple(machines), tuple(certificates), nightly, _is_alarm(nightly))


def _read(target: Target) -> tuple[Records, Mapping[str, Deploy]]:
    """Return the records of an engine, and the last deploy of each service; nothing if it does not answer."""
    try:
        found = deploys.read(target.engine)
        return store.read(target.engine), {item.service: item for item in reversed(found)}
    except SystemFailure:
        return Records(()), {}


def _row(  # noqa: PLR0913, PLR0917 (all that a row shows)
    target: Target, service: Service, card: Card, lacks: str, last: Mapping[str, Deploy], records: Records, site: Site
) -> Row:
    proofs = summary.describe(records, [service.name], site.at)[service.name]
    saves = bool(target.collective.backup.repositories) and service.runs and service.owns_data and bool(card.state)
    known = last.get(service.name)
    late = [("backup", proofs.saved), ("drill", proofs.drilled)] if saves else []
    return Row(
        service.name,
        target.host,
        card.claimed,
        card.level,
        card.state,
        card.admins,
        f"{known.when[:16].replace('T', ' ')} by {known.who}, {known.commit or 'no commit'}: {known.outcome}"
        if known
        else "",
        proofs.saved if saves else "",
        proofs.drilled if saves else "",
        tuple(name for name, words in late if _is_alarm(words)),
        card.proofs.data,
        card.proofs.security,
        lacks,
    )


def _machine(target: Target, collective: Collective) -> list[Machine]:
    try:
        found = gather(target.engine, collective).machine
    except SystemFailure:
        return []
    return [Machine(target.host, found.disk_free, found.disk_total, found.memory_free)] if found else []


def _is_alarm(words: str) -> bool:
    return words.startswith(ALARMS)
