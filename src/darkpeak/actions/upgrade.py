"""Build services anew whose packages are out of date, deploy them, and see that nothing is out of date any more."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from darkpeak.actions.changes import Change, find_changes
from darkpeak.actions.up import UpResult, Wanted, bring_up, plan_up
from darkpeak.actions.updates import Unknown, Update, find_updates
from darkpeak.collective import count
from darkpeak.collective.model import Collective
from darkpeak.deploy.target import Target
from darkpeak.engine import base
from darkpeak.errors import SystemFailure
from darkpeak.lint.build_file import build_files, read_all
from darkpeak.plan.decisions import Outdated
from darkpeak.plan.plan import Plan
from darkpeak.plan.text import make_text
from darkpeak.progress import Progress

UPGRADE = "upgrade"


@dataclass(frozen=True, order=True)
class Kept:
    """A package that is out of date after the upgrade too, and why."""

    update: Update
    why: str

    def line(self) -> str:
        """Return it as a line of words."""
        return f"{self.update.line()}: {self.why}"


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did on one engine, or (a dry run) would do."""

    host: str
    updates: tuple[Update, ...]  # what was out of date
    unknown: tuple[Unknown, ...] = ()  # containers of which that is not known
    plan: Plan | None = None  # of a dry run
    changes: tuple[Change, ...] = ()  # likewise: what the newer packages change
    result: UpResult | None = None
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> frozenset[str]:
        """The services whose new version failed; the version before runs."""
        return frozenset(item.service for item in self.result.failures) if self.result else frozenset()

    def lines(self) -> Iterator[str]:
        """Yield what was out of date, then what was done about it, or would be."""
        yield from (item.line() for item in self.updates)
        yield from (line for item in self.changes for line in item.lines())
        yield from self.notes
        if self.plan:
            yield from make_text(self.plan)
        elif self.result:
            yield from self.result.lines()
            yield from self._upgraded()
        elif not self.updates and not self.unknown:
            yield "nothing to upgrade"

    def _upgraded(self) -> Iterator[str]:
        for service in dict.fromkeys(item.service for item in self.updates):
            if service not in self.failed:
                yield f"{service}: {self.words(service)}"

    def words(self, service: str) -> str:
        """Return how many packages of a service were upgraded, in words."""
        found = {(item.container, item.package) for item in self.updates if item.service == service}
        kept = {(item.update.container, item.update.package) for item in self.kept if item.update.service == service}
        return f"{len(found - kept)} of {count(len(found), 'package')} upgraded"


def upgrade(  # noqa: PLR0913 (what to upgrade, and how)
    target: Target, progress: Progress, wanted: Wanted, *, names: Collection[str], security: bool, dry_run: bool
) -> Upgraded:
    """Upgrade the target's services that have outdated packages; with `security`, those that lack a security update.

    Raises:
        UsageError: when compose refuses a named service, or when the engine belongs to another collective.
        SystemFailure: when the daemon or the router fails; failures of single services are in the result.
    """
    found = find_updates(target, progress)
    updates = choose(found.updates, security=security)
    late = frozenset((item.service, item.container) for item in updates) & _built(target.collective)
    chosen = {service for service, _ in late}
    services = tuple(service for service in target.services if service.name in chosen)
    before = Upgraded(target.host, updates, found.unknown)
    if not services:
        return replace(before, kept=tuple(find_reasons(target.collective, updates)))
    own, wanted = replace(target, services=services), replace(wanted, outdated=late, why=UPGRADE)
    if dry_run:
        return replace(before, plan=plan_up(own, wanted), changes=find_changes(own, updates, progress))
    notes = _refresh_bases(own, progress)
    result = bring_up(own, progress, wanted, [name for name in names if name in chosen])
    failed = {item.service for item in result.failures}
    again = find_updates(replace(own, services=tuple(item for item in services if item.name not in failed)), progress)
    unbuilt = tuple(item for item in updates if item.service not in chosen)
    kept = find_reasons(target.collective, (*again.updates, *unbuilt))
    unknown = (*found.unknown, *again.unknown)
    return replace(before, unknown=unknown, result=result, kept=tuple(sorted(kept)), notes=notes)


def choose(updates: Sequence[Update], *, security: bool) -> tuple[Update, ...]:
    """Return the updates of all services, or (`security`) those of the services that lack a security update."""
    urgent = {item.service for item in updates if item.security}
    return tuple(item for item in updates if not security or item.service in urgent)


def find_reasons(collective: Collective, updates: Sequence[Update]) -> Iterator[Kept]:
    """Yield the packages that a new build does not upgrade, each with the line of a file that keeps it back. Pure."""
    services = {service.name: service for service in collective.services}
    for item in updates:
        service = services[item.service]
        container = next(part for part in service.containers if part.name == item.container)
        file = next((file for file in build_files(service) if file.container == container), None)
        if file is None:
            yield Kept(item, f"its image is not built here: name a newer one at {container.at}")
        elif line := holding_line(file.text, item.package):
            yield Kept(item, f"{file.at(line)} keeps it back")
        elif line := upgrading_line(file.text):
            yield Kept(item, f"{file.at(line)} leaves it as it is: a build shows what apt says of it there")
        else:
            yield Kept(item, f"no line of {file.file} upgrades it: write apt-get update && apt-get upgrade --yes there")


def holding_line(text: str, package: str) -> int | None:
    """Return the line of a Dockerfile that names a version of the package, or holds it; None if no line does."""
    name = package.partition(":")[0]
    for number, line in enumerate(text.splitlines(), 1):
        words = () if line.lstrip().startswith("#") else _words(line)
        if any("=" in word and _package(word) == name for word in words):
            return number
    for item in read_all(text):
        words = _words(item.rest)
        if "hold" in words and name in map(_package, words):
            return item.line
    return None


def upgrading_line(text: str) -> int | None:
    """Return the line of a Dockerfile's instruction that upgrades all packages; None if none does."""
    words = {"upgrade", "dist-upgrade", "full-upgrade"}
    return next((item.line for item in read_all(text) if words & {*_words(item.rest)}), None)


def _words(line: str) -> list[str]:
    return re.split(r"""[\\"'\s,;&\[\]]+""", line)


def _package(word: str) -> str:
    """Return the name of the package in a word of apt's, such as nginx:amd64=1.26-3."""
    return word.partition("=")[0].partition(":")[0]


def _built(collective: Collective) -> Outdated:
    """Return the containers whose images are built from a folder of the collective."""
    return frozenset(
        (service.name, part.name) for service in collective.services for part in service.containers if part.build
    )


def _refresh_bases(target: Target, progress: Progress) -> tuple[str, ...]:
    """Get the newest base images that the target's services are built from; return notes of those that stay old.

    A service's own build upgrades its packages too, so an old base only costs time.
    """
    notes = []
    for suite in base.suites_of(target.services):
        try:
            base.refresh(target.engine, suite, partial(progress.step, "base"))
        except SystemFailure as error:
            notes.append(f"debian:{suite} is not refreshed: {error.message}")
    return tuple(notes)
