"""What is on a daemon at one moment, as values."""

from dataclasses import dataclass, replace
from functools import cached_property

from darkpeak.collective.model import Collective


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
    created: int = 0
    ports: tuple[tuple[int, int], ...] = ()  # port in the container, port on the host
    scratch: bool = False  # of a drill, or of a copy beside the live service

    @property
    def ready(self) -> bool:
        """Whether it runs, and no health check fails."""
        return self.state == "running" and self.health in ("healthy", "")


@dataclass(frozen=True)
class Observed:
    """All containers of all compose projects on one daemon, and the images with their names."""

    containers: tuple[Running, ...] = ()
    images: tuple[tuple[str, str], ...] = ()  # name, id
    built: tuple[tuple[str, str], ...] = ()  # name, the hash of what it was built from

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

    def without(self, ids: frozenset[str]) -> "Observed":
        """Return the same without the containers with these ids."""
        return replace(self, containers=tuple(item for item in self.containers if item.id not in ids))

    def of(self, project: str, container: str | None = None) -> tuple[Running, ...]:
        """Return the containers of a project, or only those of one entry of its compose file."""
        found = self.by_project.get(project, ())
        return found if container is None else tuple(item for item in found if item.container == container)


def find_container(collective: Collective, observed: Observed, service: str, container: str) -> Running | None:
    """Return the running container with this name of the service with this name; None if it does not run."""
    for known in collective.services:
        for item in observed.of(known.project, container) if known.name == service else ():
            if item.state == "running":
                return item
    return None
