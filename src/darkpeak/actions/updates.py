"""Find outdated packages of Debian in the running containers of services."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from darkpeak.collective import count
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.packages.apt import find_newer
from darkpeak.packages.container import CannotTell, Files, read_files
from darkpeak.packages.listed import Kind
from darkpeak.packages.policy import Newer
from darkpeak.plan.observed import Running
from darkpeak.progress import Progress
from darkpeak.result import display

AT_ONCE = 8  # requests to an engine, which mostly waits for its disk
NOT_RUNNING = "it does not run"
INDEX = "packages"  # what the progress of an engine's indexes is shown as


@dataclass(frozen=True, order=True)
class Update:
    """A package of a container that has a newer version."""

    service: str
    container: str
    package: str
    old: str
    new: str
    security: bool
    kind: Kind = Kind.DEB

    def line(self) -> str:
        """Return it as a line of words."""
        words = [self.service, self.container, self.package, self.old, self.new]
        words += ["security"] if self.security else []
        return display(" ".join([*words, self.kind] if self.kind != Kind.DEB else words))


@dataclass(frozen=True, order=True)
class Unknown:
    """A container of which nobody knows whether it is up to date, and why."""

    service: str
    container: str
    why: str


@dataclass(frozen=True)
class Updates:
    """The outdated packages of containers, and the containers of which they are unknown."""

    updates: tuple[Update, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services that have outdated packages."""
        return tuple(dict.fromkeys(item.service for item in self.updates))

    def with_more(self, more: "Updates") -> "Updates":
        """Return these and others."""
        unknown = tuple(sorted({*self.unknown, *more.unknown}))
        return Updates(tuple(sorted((*self.updates, *more.updates))), unknown)

    def of(self, service: str) -> "Updates":
        """Return those of one service."""
        return Updates(
            tuple(item for item in self.updates if item.service == service),
            tuple(item for item in self.unknown if item.service == service),
        )

    def doubts(self) -> list[SystemFailure]:
        """Return an error for each reason why containers are unknown."""
        return doubts_of(self.unknown, "whether {} has updates")


def doubts_of(unknown: Iterable[Unknown], what: str) -> list[SystemFailure]:
    """Return an error for each reason why containers are unknown; `what` has {} for their names."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for item in unknown:
        reasons[item.why].append(f"{item.service} {item.container}".strip())
    return [
        SystemFailure(f"cannot tell {what.format(', '.join(names))}, because {why}") for why, names in reasons.items()
    ]


@dataclass(frozen=True)
class Found:
    """A running container of a service, or one that should run."""

    service: str
    container: str
    running: Running | None


def merge(found: Sequence[Updates]) -> Updates:
    """Return what was found on several engines, sorted."""
    updates = (item for part in found for item in part.updates)
    return Updates(tuple(sorted(updates)), tuple(sorted(item for part in found for item in part.unknown)))


def list_containers(target: Target) -> Iterator[Found]:
    """Yield each container of the target's services; those that are meant to end only while they run.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    observed = target.engine.observe()
    for service in target.running:
        for container in service.containers:
            running = observed.running(service.project, container.name)
            if running or not container.ends:
                yield Found(service.name, container.name, running)


def find_updates(target: Target, progress: Progress) -> Updates:
    """Return the outdated packages of Debian in all running containers of the target, and where they are unknown."""
    try:
        listed = list(list_containers(target))
        for service in dict.fromkeys(item.service for item in listed):
            progress.step(service, "reading its packages")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            read = list(pool.map(partial(_read, target.engine), listed))
        return merge([_compare(target.engine, list(zip(listed, read, strict=True)), progress)])
    except SystemFailure as error:
        return Updates(unknown=tuple(Unknown(service.name, "", error.message) for service in target.running))


def _read(engine: Engine, found: Found) -> Files | CannotTell:
    if found.running is None:
        return CannotTell(NOT_RUNNING)
    try:
        return read_files(engine, found.running.id)
    except CannotTell as error:
        return error


def _compare(engine: Engine, read: Sequence[tuple[Found, Files | CannotTell]], progress: Progress) -> Updates:
    """Have apt compare what was read, once for all containers that can share an index."""
    groups: dict[str, list[tuple[Found, Files]]] = defaultdict(list)
    for found, files in read:
        if isinstance(files, Files):
            groups[files.index].append((found, files))
    answers: list[tuple[Found, Iterable[Newer] | CannotTell]] = [
        (found, files) for found, files in read if isinstance(files, CannotTell)
    ]
    for number, group in enumerate(groups.values(), 1):
        progress.step(INDEX, f"comparing {count(len(group), 'container')} with the archive ({number} of {len(groups)})")
        answers += zip((found for found, _ in group), _ask(engine, group), strict=True)
    updates: list[Update] = []
    unknown: list[Unknown] = []
    for found, answer in answers:
        if isinstance(answer, CannotTell):
            unknown.append(Unknown(found.service, found.container, str(answer)))
        else:
            updates += _make(found, answer)
    return Updates(tuple(updates), tuple(unknown))


def _ask(engine: Engine, group: Sequence[tuple[Found, Files]]) -> Sequence[Iterable[Newer] | CannotTell]:
    image = next(found.running.image for found, _ in group if found.running)
    try:
        return find_newer(engine, image, [files for _, files in group])
    except CannotTell as error:
        return [error] * len(group)


def _make(found: Found, newer: Iterable[Newer]) -> Iterator[Update]:
    for item in newer:
        yield Update(found.service, found.container, item.package, item.old, item.new, item.security)
