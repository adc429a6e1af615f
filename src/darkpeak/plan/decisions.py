"""What `up` does with each container, and the cause: decided from its files and its instances. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from darkpeak.collective.model import Container, Service
from darkpeak.plan.door import hash_door
from darkpeak.plan.networks import Moved, find_moved
from darkpeak.plan.observed import Observed, Replicated, Running, changed_files, newest

NO_FILE = "it is no longer in the compose file"
OUTDATED = "its packages are out of date"
Outdated = frozenset[tuple[str, str]]  # service, container


class Action(StrEnum):
    """What is done with a container."""

    CREATE = "create"
    REPLACE = "replace"  # start the new one beside the old one, which is removed when the router leads to the new one
    UPDATE = "update"  # stop the old one, then start the new one
    RECREATE = "recreate"
    START = "start"
    TIDY = "tidy"  # remove what an interrupted deploy has left
    REMOVE = "remove"
    NOTHING = "nothing"

    @property
    def done(self) -> str:
        """The word for it when it is done."""
        return {"start": "started", "tidy": "tidied", "nothing": "left"}.get(self.value, f"{self.value}d")


BUILT = (Action.CREATE, Action.REPLACE, Action.UPDATE)
BESIDE = (Action.REPLACE, Action.TIDY)


@dataclass(frozen=True)
class Decision:
    """What is done with one container, and the cause."""

    container: str
    action: Action
    cause: str
    fresh: bool = False  # its image is built anew, without the cache


def decide(service: Service, observed: Observed, outdated: Outdated) -> list[Decision]:
    """Return the decision on each container of a service; images of `outdated` ones are built anew."""
    if service.stacked:
        return decide_stack(service, observed, outdated)
    decisions = [
        _renew(container, decision) if container.build and (service.name, container.name) in outdated else decision
        for container in service.containers
        for decision in [_decide_one(service, container, observed)]
    ]
    moved = find_moved(service, observed)
    if moved:
        decisions = [_renumber(item, moved) for item in decisions]
    unknown = dict(observed.unknown_clients).get(service.name)
    if unknown:
        decisions = [_read_again(service, item, unknown) for item in decisions]
    known = {container.name for container in service.containers}
    gone = sorted({item.container for item in observed.of(service.project)} - known)
    return decisions + [Decision(name, Action.REMOVE, NO_FILE) for name in gone]


def _decide_one(service: Service, container: Container, observed: Observed) -> Decision:
    """Return the decision on one container, from its instances."""
    running = observed.of(service.project, container.name)
    last = newest(running)
    if last is None:
        return Decision(container.name, Action.CREATE, "it does not exist yet")
    if container.ends:
        return _decide_ending(container, last, observed.matching(service.project, container))
    serving = observed.serving(service.project, container)
    fresh = observed.matching(service.project, container)
    if serving in fresh:
        if len(running) > 1:
            return Decision(container.name, Action.TIDY, "an interrupted deploy left another instance")
        return Decision(container.name, Action.NOTHING, "it matches its files")
    matching = newest(fresh)
    if matching and not serving:
        health = matching.health if matching.state == "running" else ""
        action = Action.RECREATE if health == "unhealthy" else Action.START
        return Decision(container.name, action, f"it is {health or matching.state}")
    cause = "a deploy was interrupted" if fresh else last.difference(container)
    served = serving is not None
    return Decision(container.name, Action.REPLACE if served and _can_be_beside(container) else Action.UPDATE, cause)


def _can_be_beside(container: Container) -> bool:
    return container.spare_port and container.healthcheck


def _renew(container: Container, decision: Decision) -> Decision:
    """Return the decision on a container whose image is built anew."""
    if decision.action in (Action.NOTHING, Action.TIDY):
        action = Action.REPLACE if _can_be_beside(container) and not container.ends else Action.UPDATE
        return Decision(container.name, action, OUTDATED, fresh=True)
    return replace(decision, fresh=decision.action in BUILT)


def _renumber(decision: Decision, moved: Sequence[Moved]) -> Decision:
    """Return the decision where a network must be made again, for which all containers are stopped."""
    if decision.action is Action.REPLACE:
        return replace(decision, action=Action.UPDATE)
    if decision.action in (Action.NOTHING, Action.TIDY, Action.START):
        cause = f"the network {moved[0].name} moves to {moved[0].subnet}"
        return Decision(decision.container, Action.RECREATE, cause)
    return decision


def _read_again(service: Service, decision: Decision, cause: str) -> Decision:
    """Return the decision where the login page has changed: containers that have its volume start again."""
    if decision.action is Action.NOTHING and decision.container in service.login_mounts:
        return Decision(decision.container, Action.RECREATE, cause)
    return decision


def _decide_ending(container: Container, last: Running, matching: Sequence[Running]) -> Decision:
    """Return the decision on a container that is meant to end: it runs again if it has changed, or has failed."""
    if not matching:
        return Decision(container.name, Action.UPDATE, last.difference(container))
    if any(item.ended_well or item.ready for item in matching):
        return Decision(container.name, Action.NOTHING, "it matches its files")
    code = matching[-1].exit_code
    cause = f"it is {matching[-1].state}" if code is None else f"it ended with exit code {code}"
    return Decision(container.name, Action.START, cause)


def decide_rollback(container: Container, running: Sequence[Running], image: str) -> Decision:
    """Return the decision on a container that goes back to an earlier image."""
    if running and all(item.image == image for item in running):
        return Decision(container.name, Action.NOTHING, "its image is the same")
    if not running:
        return Decision(container.name, Action.CREATE, "it does not exist")
    beside = any(item.ready for item in running) and _can_be_beside(container)
    return Decision(container.name, Action.REPLACE if beside else Action.UPDATE, "back to an earlier image")


def decide_stack(service: Service, observed: Observed, outdated: Outdated) -> list[Decision]:
    """Return the decision on each container of a service that runs as a stack; the swarm itself does the rest."""
    known = {item.container: item for item in observed.stack_of(service.project)}
    decisions = []
    for container in service.containers:
        decision = _decide_replicated(container, known.get(container.name))
        old = container.build and (service.name, container.name) in outdated
        decisions.append(replace(decision, action=_anew(decision), cause=OUTDATED, fresh=True) if old else decision)
    led = bool(service.ports) and (service.project, hash_door(service)) not in observed.doors
    if led and decisions and all(item.action is Action.NOTHING for item in decisions):
        decisions[0] = Decision(decisions[0].container, Action.START, "its door to the router does not run")
    gone = sorted(known.keys() - {container.name for container in service.containers})
    return decisions + [Decision(name, Action.REMOVE, NO_FILE) for name in gone]


def _anew(decision: Decision) -> Action:
    return Action.CREATE if decision.action is Action.CREATE else Action.UPDATE


def _decide_replicated(container: Container, known: Replicated | None) -> Decision:
    if known is None:
        return Decision(container.name, Action.CREATE, "it does not exist yet")
    if known.content != container.content:
        return Decision(container.name, Action.UPDATE, changed_files(known.parts, container))
    if not known.wanted:
        return Decision(container.name, Action.START, "it is stopped")
    return Decision(container.name, Action.NOTHING, "it matches its files")


def decide_stack_rollback(container: Container, now: str | None, image: str) -> Decision:
    """Return the decision on a container of a stack that goes back to an earlier image."""
    if now == image:
        return Decision(container.name, Action.NOTHING, "its image is the same")
    action = Action.UPDATE if now else Action.CREATE
    return Decision(container.name, action, "back to an earlier image" if now else "it does not exist")
