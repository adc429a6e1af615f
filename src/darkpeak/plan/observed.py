"""What is on a daemon at one moment, as values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from darkpeak.collective.model import Collective, Container

FEW = 3  # files that are named


@dataclass(frozen=True)
class Running:
    """A container that compose has made, running or not."""

    id: str
    project: str
    container: str  # its name in the compose file
    number: int
    name: str
    state: str  # the engine's word: running, exited, created, restarting, dead, paused
    health: str = ""  # healthy, unhealthy, starting, or empty without a health check
    content: str = ""  # the hash it was built from
    parts: tuple[tuple[str, str], ...] = ()  # name and short hash of each file that it was built from
    image: str = ""  # its image's id
    ports: tuple[tuple[int, int], ...] = ()  # port in the container, port on the host
    addresses: tuple[tuple[str, str], ...] = ()  # name of a network, address in it
    exit_code: int | None = None  # None unless it has ended
    task: bool = False  # of a stack: the swarm has made it, and not compose
    scratch: bool = False  # of a drill, or of a copy beside the live service

    @property
    def ended_well(self) -> bool:
        """Whether it has ended with exit code 0."""
        return self.state == "exited" and self.exit_code == 0

    @property
    def ready(self) -> bool:
        """Whether it runs, and no health check fails."""
        return self.state == "running" and self.health in ("healthy", "")

    def difference(self, container: Container) -> str:
        """Return in words how it differs from its files."""
        if not self.content:
            return "plain docker compose built its image"
        if self.content == container.content:
            return "its image is newer than the container"
        return changed_files(self.parts, container)


@dataclass(frozen=True)
class Replicated:
    """A container of a stack, as the swarm knows it: on whichever nodes its tasks run."""

    project: str
    container: str
    service: str  # its id in the swarm
    image: str = ""  # its image's id
    content: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    wanted: int = 1  # tasks that shall run
    ready: int = 0  # tasks that run as it is now, and whose health checks pass
    updating: str = ""  # the swarm's word for its last update; empty if there was none
    failures: int = 0  # tasks of it, as it is now, that failed; the swarm forgets old ones
    fault: str = ""  # why its newest task that failed did so
    failed_task: str = ""  # the id of that task

    @property
    def changing(self) -> bool:
        """Whether the swarm has not finished."""
        return self.ready < self.wanted or self.updating in ("updating", "rollback_started")

    @property
    def went_back(self) -> bool:
        """Whether the swarm has given up the last update."""
        return self.updating in ("paused", "rollback_completed", "rollback_paused")


@dataclass(frozen=True)
class Observed:
    """All containers of all compose projects on one daemon, and the images with their names."""

    containers: tuple[Running, ...] = ()
    images: tuple[tuple[str, str], ...] = ()  # name, id
    built: tuple[tuple[str, str], ...] = ()  # name, the hash of what it was built from
    stacks: tuple[Replicated, ...] = ()  # on all nodes of the swarm that the daemon manages; `containers` are its own
    doors: tuple[tuple[str, str], ...] = ()  # project, hash of the configuration: the doors of stacks that run
    unknown_clients: tuple[tuple[str, str], ...] = ()  # service, and how the login page differs from what it was told

    @cached_property
    def by_project(self) -> dict[str, tuple[Running, ...]]:
        """Containers by compose project."""
        found: dict[str, list[Running]] = {}
        for container in self.containers:
            found.setdefault(container.project, []).append(container)
        return {project: tuple(containers) for project, containers in found.items()}

    @cached_property
    def image_ids(self) -> dict[str, str]:
        """Image ids by name."""
        return dict(self.images)

    @cached_property
    def contents(self) -> dict[str, str]:
        """The hashes of what images were built from, by the images' names."""
        return dict(self.built)

    def running(self, project: str, container: str) -> Running | None:
        """Return the newest instance of a container that runs, healthy or not; None if none runs."""
        return newest(item for item in self.of(project, container) if item.state == "running")

    def matching(self, project: str, container: Container) -> tuple[Running, ...]:
        """Return the instances of a container that match its files, and have the image that has its name now."""
        image = self.image_ids.get(container.image)
        found = self.of(project, container.name)
        return tuple(item for item in found if item.content == container.content and image in (item.image, None))

    def serving(self, project: str, container: Container) -> Running | None:
        """Return the instance to which the router leads; None if none is ready.

        It is one that matches the files; if none does, one with the image that has the container's name now, as after
        a rollback; otherwise the newest.
        """
        ready = [item for item in self.of(project, container.name) if item.ready]
        image = self.image_ids.get(container.image)
        choices = (self.matching(project, container), [item for item in ready if item.image == image], ready)
        found = ([item for item in choice if item.ready] for choice in choices)
        return newest(next((choice for choice in found if choice), ()))

    def stack_of(self, project: str) -> tuple[Replicated, ...]:
        """Return the containers of a stack; none if the project is not one."""
        return tuple(item for item in self.stacks if item.project == project)

    def has(self, project: str) -> bool:
        """Return whether anything of a project is there, running or not."""
        return bool(self.of(project) or self.stack_of(project))

    def images_of(self, project: str) -> dict[str, str]:
        """Return the ids of the images of a project's containers, by container."""
        stacked = {item.container: item.image for item in self.stack_of(project)}
        return {item.container: item.image for item in self.of(project)} | stacked

    def without(self, ids: frozenset[str]) -> "Observed":
        """Return the same without the containers with these ids."""
        return replace(self, containers=tuple(item for item in self.containers if item.id not in ids))

    def of(self, project: str, container: str | None = None) -> tuple[Running, ...]:
        """Return the containers of a project, or only those of one entry of its compose file."""
        found = self.by_project.get(project, ())
        return found if container is None else tuple(item for item in found if item.container == container)


def changed_files(parts: tuple[tuple[str, str], ...], container: Container) -> str:
    """Return in words which files of a container differ from those that it was built from."""
    before, after = dict(parts), dict(container.parts)
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    shown = ", ".join(changed[:FEW]) + f" and {len(changed) - FEW} more" * (len(changed) > FEW)
    return f"{shown} changed" if before else "its files have changed"


def newest(running: Iterable[Running]) -> Running | None:
    """Return the newest of a container's instances, by compose's own number; None if there is none.

    No clock decides: the date of an engine, or of a container, can be in the future.
    """
    return max(running, key=lambda item: (item.number, item.id), default=None)


def find_container(collective: Collective, observed: Observed, service: str, container: str) -> Running | None:
    """Return the running container with this name of the service with this name; None if it does not run."""
    for known in collective.services:
        for item in observed.of(known.project, container) if known.name == service else ():
            if item.state == "running":
                return item
    return None
