"""What `up` would do, and why, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from darkpeak.collective.model import Collective, Container, Service
from darkpeak.plan.observed import Observed, Running


class Action(StrEnum):
    """What is done with a container."""

    CREATE = "create"
    REPLACE = "replace"  # the new one is started beside the old, which goes when the router leads to the new
    UPDATE = "update"  # the old one is stopped, then the new one started
    RECREATE = "recreate"
    START = "start"
    TIDY = "tidy"  # what a deploy that was cut short has left beside it goes
    REMOVE = "remove"
    NOTHING = "nothing"

    @property
    def done(self) -> str:
        """Return the word for it when it is done."""
        return {"start": "started", "tidy": "tidied", "nothing": "left"}.get(self.value, f"{self.value}d")


BUILT = (Action.CREATE, Action.REPLACE, Action.UPDATE)
BESIDE = (Action.REPLACE, Action.TIDY)
FEW = 3


@dataclass(frozen=True)
class Step:
    """One container, what is done with it, and the cause."""

    container: str
    action: Action
    cause: str


@dataclass(frozen=True)
class ServicePlan:
    """What is done with one service, after those that it relies on."""

    service: str
    after: tuple[str, ...]
    steps: tuple[Step, ...]
    owns_data: bool = False

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do anything."""
        return tuple(step for step in self.steps if step.action is not Action.NOTHING)

    def containers(self, *actions: Action) -> tuple[str, ...]:
        """Return the containers with one of these actions."""
        return tuple(step.container for step in self.steps if step.action in actions)


@dataclass(frozen=True)
class Plan:
    """What is done with each service, sorted by name; and what is on the daemon that no file names."""

    services: tuple[ServicePlan, ...]
    orphans: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[ServicePlan, ...]:
        """The services to which something is done."""
        return tuple(service for service in self.services if service.changes)


def make_plan(collective: Collective, observed: Observed, names: frozenset[str]) -> Plan:
    """Plan what brings the named services to what their files say."""
    planned = (
        ServicePlan(
            service.name,
            tuple(name for name in collective.depends_on(service) if name in names),
            tuple(_steps(service, observed)),
            service.owns_data,
        )
        for service in collective.services
        if service.name in names and service.runs
    )
    known = {service.project for service in collective.services}
    ours = {item.project for item in observed.containers if item.content}
    return Plan(tuple(planned), tuple(sorted(ours - known)))


def _steps(service: Service, observed: Observed) -> list[Step]:
    steps = [
        _step(container, observed.of(service.project, container.name), observed) for container in service.containers
    ]
    known = {container.name for container in service.containers}
    gone = sorted({item.container for item in observed.of(service.project)} - known)
    return steps + [Step(name, Action.REMOVE, "no file names it any more") for name in gone]


def _step(container: Container, running: Sequence[Running], observed: Observed) -> Step:
    """Plan one container; `running` are its instances, of which one is right."""
    running = sorted(running, key=lambda item: (item.created, item.number, item.id))
    if not running:
        return Step(container.name, Action.CREATE, "there is none yet")
    image = observed.image_ids.get(container.image)
    fresh = [item for item in running if item.content == container.content and image in (item.image, None)]
    if newest_ready(running) in fresh:
        if len(running) > 1:
            return Step(container.name, Action.TIDY, "left beside it by a deploy that was cut short")
        return Step(container.name, Action.NOTHING, "it is as its files say")
    served = any(item.ready for item in running)
    if fresh and not served:
        ill = fresh[-1].health if fresh[-1].state == "running" else ""
        return Step(
            container.name, Action.RECREATE if ill == "unhealthy" else Action.START, f"it is {ill or fresh[-1].state}"
        )
    cause = "a deploy was cut short" if fresh else _cause(container, running[-1])
    beside = served and container.spare_port and container.healthcheck
    return Step(container.name, Action.REPLACE if beside else Action.UPDATE, cause)


def _cause(container: Container, running: Running) -> str:
    """Say what makes a container other than its files say."""
    if not running.content:
        return "it was not started by darkpeak"
    if running.content == container.content:
        return "its image is newer than the container"
    before, after = dict(running.parts), dict(container.parts)
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    shown = ", ".join(changed[:FEW]) + f" and {len(changed) - FEW} more" * (len(changed) > FEW)
    return f"{shown} changed" if before else "its files have changed"


def make_rollback(service: Service, observed: Observed) -> ServicePlan:
    """Plan what brings a service to the images that its names mean now, whatever its files say."""
    steps = []
    for container in service.containers:
        running = observed.of(service.project, container.name)
        image = observed.image_ids.get(container.image)
        if running and all(item.image == image for item in running):
            steps.append(Step(container.name, Action.NOTHING, "its image is the same"))
        elif not running:
            steps.append(Step(container.name, Action.CREATE, "there is none"))
        else:
            beside = any(item.ready for item in running) and container.spare_port and container.healthcheck
            steps.append(Step(container.name, Action.REPLACE if beside else Action.UPDATE, "back to an earlier image"))
    return ServicePlan(service.name, (), tuple(steps))


def newest_ready(running: Sequence[Running]) -> Running | None:
    """Return the instance to which the router leads, and which stays: the newest well one."""
    return max((item for item in running if item.ready), key=lambda item: (item.created, item.number), default=None)
