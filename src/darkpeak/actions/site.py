"""Make the pages for members from what is known of the services, and write them into a folder."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from darkpeak.actions.level import find_levels
from darkpeak.actions.uptime import Seen, read_seen
from darkpeak.collective.model import MEMBERS, Collective, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.deploy.reach import find_rows
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.announcements import AnnouncementRecord, announced
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.measured import UpdatesRecord
from darkpeak.evidence.record import Records
from darkpeak.levels.judge import Judged
from darkpeak.plan.status import HEALTHY, UNREACHABLE, addresses
from darkpeak.router.control import Notice
from darkpeak.site.facts import DAYS, Announced, Card, Proofs, Site
from darkpeak.vocabulary import ABOUT_FILE, DIRECTORY, ROUTER

READABLE = 0o644  # the pages are for everybody


@dataclass(frozen=True)
class Look:
    """What one engine says of its services; all is empty if it does not answer."""

    states: Mapping[str, str] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    seen: Seen | None = None
    records: Records = field(default_factory=lambda: Records(()))
    unknown: str = ""

    @property
    def announced(self) -> list[AnnouncementRecord]:
        """The announcements that are kept on this engine."""
        return announced([self.records])


def find_site(collective: Collective, targets: Sequence[Target], at: datetime | None = None) -> Site:
    """Return what the pages show; of an engine that does not answer, only what the files say."""
    moment = at or datetime.now(UTC)
    levels = {(judged.host, judged.service): judged for judged in find_levels(targets, moment)}
    looks = [(target, _look(target)) for target in targets]
    cards = [
        _card(target, service, levels[target.host, service.name], look, moment)
        for target, look in looks
        for service in target.services
    ]
    news = {item.id: item for _, look in looks for item in look.announced if not item.is_over(moment)}
    return Site(
        collective.name,
        collective.domain,
        moment,
        tuple(cards),
        tuple(admin.full_name or admin.name for admin in collective.admins),
        read_or_empty(collective.root / ABOUT_FILE),
        tuple(look.unknown for _, look in looks if look.unknown),
        tuple(_announced(item) for item in sorted(news.values(), key=lambda item: item.since)),
    )


def write_files(files: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Write the files of pages into a folder, each in one step; return their paths in it.

    Raises:
        UsageError: when the folder cannot be written.
    """
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}", hint="name another folder: --to DIR"
        ) from error
    return tuple(files)


def _replace(path: Path, text: str) -> None:
    """Write a file in one step, also in a folder in which others could put a link in its way."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), READABLE)
        Path(partial).replace(path)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise


def _look(target: Target) -> Look:
    try:
        observed = target.engine.observe()
        states = _reachable(target, {row.service: row.state for row in find_rows(target, observed)})
        router = find_router(target.collective, target.engine, observed)
        notices = router.notices() if router else {}
        return Look(states, notices, read_seen(target, observed), store.read(target.engine))
    except SystemFailure as error:
        return Look(unknown=error.message)


def _announced(item: AnnouncementRecord) -> Announced:
    since, until = datetime.fromisoformat(item.since), datetime.fromisoformat(item.until) if item.until else None
    return Announced(item.id, item.text, item.service, datetime.fromisoformat(item.when), since, until)


def _reachable(target: Target, states: Mapping[str, str]) -> dict[str, str]:
    """Return the states of services as members see them: without a router, none of its routes leads anywhere."""
    if states.get(ROUTER, HEALTHY) == HEALTHY:
        return dict(states)
    routed = {service.name for service in target.services if service.routes}
    return {name: UNREACHABLE if name in routed and state == HEALTHY else state for name, state in states.items()}


def _card(target: Target, service: Service, judged: Judged, look: Look, at: datetime) -> Card:
    collective = target.collective
    people = {admin.name: admin.full_name or admin.name for admin in collective.admins}
    notices = [look.notices[route.label].text for route in service.routes.http if route.label in look.notices]
    times = [item.planned for item in look.announced if item.planned and item.concerns(service.name)]
    return Card(
        service.name,
        service.about,
        addresses(collective, service),
        _login(target, service),
        judged.claimed if judged.unknown else judged.measured,
        judged.claimed,
        tuple(people.get(name, name) for name in service.admins),
        look.states.get(service.name, ""),
        notices[0] if notices else "",
        planned=any(start <= at.timestamp() < end for start, end in times),
        kind=service.kind,
        uptime=look.seen.of(target, service, DAYS, at) if look.seen else None,
        days=look.seen.days(target, service, DAYS, at) if look.seen else (),
        proofs=_proofs(look.records, service.name),
        members=service.shown == MEMBERS,
    )


def _proofs(records: Records, service: str) -> Proofs:
    saved, drilled = records.find(BackupRecord, service), records.find(DrillRecord, service)
    late = records.find(UpdatesRecord, service)
    good = saved is not None and saved.good and bool(saved.snapshot)
    return Proofs(
        _seconds(saved.when) if saved and good else None,
        sum(size for _, size in saved.sizes) if saved and good else None,
        _seconds(drilled.when) if drilled and drilled.good else None,
        late.security if late else None,
    )


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()


def _login(target: Target, service: Service) -> str:
    """Return how members log in: with their member name, with an ssh key, or nothing of that."""
    if DIRECTORY in target.collective.depends_on(service):
        return "member"
    return "key" if service.routes.ssh or service.routes.plain_ssh else ""
