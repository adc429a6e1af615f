"""Make the pages for members from what is known of the services, and write them into a folder."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from darkpeak.actions.level import find_levels
from darkpeak.actions.uptime import Seen, read_seen
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.deploy.reach import find_rows
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.levels.judge import Judged
from darkpeak.plan.status import HEALTHY, UNREACHABLE, addresses
from darkpeak.router.control import Notice
from darkpeak.site.facts import DAYS, Card, Site
from darkpeak.site.pages import make_pages
from darkpeak.vocabulary import ABOUT_FILE, DIRECTORY, ROUTER

READABLE = 0o644  # the pages are for everybody


def find_site(collective: Collective, targets: Sequence[Target], at: datetime | None = None) -> Site:
    """Return what the pages show; of an engine that does not answer, only what the files say."""
    moment = at or datetime.now(UTC)
    levels = {(judged.host, judged.service): judged for judged in find_levels(targets, moment)}
    unknown = list[str]()
    cards = [card for target in targets for card in _cards(target, levels, moment, unknown)]
    people = tuple(admin.full_name or admin.name for admin in collective.admins)
    text = read_or_empty(collective.root / ABOUT_FILE)
    return Site(collective.name, collective.domain, moment, tuple(cards), people, text, tuple(unknown))


def write_site(site: Site, folder: Path) -> tuple[str, ...]:
    """Write the pages into a folder, each file in one step; return their paths in it.

    Raises:
        UsageError: when the folder cannot be written.
    """
    files = make_pages(site)
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


def _cards(
    target: Target, levels: Mapping[tuple[str, str], Judged], at: datetime, unknown: list[str]
) -> Iterator[Card]:
    states, notices, seen = dict[str, str](), dict[str, Notice](), None
    try:
        observed = target.engine.observe()
        states = _reachable(target, {row.service: row.state for row in find_rows(target, observed)})
        router = find_router(target.collective, target.engine, observed)
        notices = router.notices() if router else {}
        seen = read_seen(target, observed)
    except SystemFailure as error:
        unknown.append(error.message)
    for service in target.services:
        yield _card(target, service, levels[target.host, service.name], states.get(service.name, ""), notices, seen, at)


def _reachable(target: Target, states: Mapping[str, str]) -> dict[str, str]:
    """Return the states of services as members see them: without a router, none of its routes leads anywhere."""
    if states.get(ROUTER, HEALTHY) == HEALTHY:
        return dict(states)
    routed = {service.name for service in target.services if service.routes}
    return {name: UNREACHABLE if name in routed and state == HEALTHY else state for name, state in states.items()}


def _card(  # noqa: PLR0913, PLR0917 (all that a card shows)
    target: Target,
    service: Service,
    judged: Judged,
    state: str,
    notices: Mapping[str, Notice],
    seen: Seen | None,
    at: datetime,
) -> Card:
    collective = target.collective
    people = {admin.name: admin.full_name or admin.name for admin in collective.admins}
    notice = next((notices[route.label].text for route in service.routes.http if route.label in notices), "")
    return Card(
        service.name,
        service.about,
        addresses(collective, service),
        _login(target, service),
        judged.claimed if judged.unknown else judged.measured,
        judged.claimed,
        tuple(people.get(name, name) for name in service.admins),
        state,
        notice,
        service.kind,
        seen.of(target, service, DAYS, at) if seen else None,
        seen.days(target, service, DAYS, at) if seen else (),
    )


def _login(target: Target, service: Service) -> str:
    """Return how members log in: with their member name, with an ssh key, or nothing of that."""
    if DIRECTORY in target.collective.depends_on(service):
        return "member"
    return "key" if service.routes.ssh or service.routes.plain_ssh else ""
