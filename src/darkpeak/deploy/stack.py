"""Give a service to a swarm as a stack, wait for it, and lead its ports to it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

from darkpeak.collective.hosts import find_host
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.resolved import question
from darkpeak.deploy import door
from darkpeak.engine import swarm
from darkpeak.engine.engine import Engine
from darkpeak.engine.resolve import resolve
from darkpeak.engine.send import send
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.observed import Replicated
from darkpeak.plan.stack import Built, make_stack
from darkpeak.vocabulary import CONTENT_LABEL, PARTS_LABEL

PAUSE = 0.5  # seconds between two looks
STALL_SECONDS = 600.0  # without any change; the swarm itself ends an update that fails
MOST_FAILURES = 4  # of each task of a service that is new: the swarm has nothing to go back to
LAST_LINES = "12"


class StackFailed(Exception):
    """A stack did not become healthy: why, and the last lines that its tasks printed."""

    def __init__(self, message: str, lines: str = "") -> None:
        super().__init__(message)
        self.message, self.lines = message, lines


@dataclass(frozen=True)
class Stack:
    """One service on the swarm of one engine."""

    collective: Collective
    service: Service
    engine: Engine
    step: Callable[[str], None]
    stopping: Event = field(default_factory=Event)

    def deploy(self) -> None:
        """Give it to the swarm with the images that have its names now, and wait until it is healthy.

        Raises:
            StackFailed: when it did not become healthy; what ran before runs.
            SystemFailure: when an engine fails.
        """
        images = self._images()
        stack = make_stack(self.service, self._resolved(), images)
        self._share(images)
        self._mark_data()
        self.step("giving it to the swarm")
        before = {item.container: item for item in self._observe()}
        given = swarm.deploy(self.engine, self.service.project, stack)
        if given.code:
            raise SystemFailure(f"the swarm refused {self.service.name}: {given.last_line()}")
        self._wait(images, before)
        door.ensure(self.collective, self.service, self.engine, self.step)

    def _observe(self) -> tuple[Replicated, ...]:
        return self.engine.observe().stack_of(self.service.project)

    def _resolved(self) -> Mapping[str, Any]:
        asked = question(self.service.folder, self.service.files, self.collective.variables, os.environ)
        answer = resolve(asked)
        if isinstance(answer, str) or not answer:
            raise UsageError(f"compose does not read {self.service.name}: {answer}", where=str(self.service.at))
        return answer

    def _images(self) -> dict[str, Built]:
        found = {}
        for container in self.service.containers:
            identity, labels = swarm.image_of(self.engine, container.image)
            found[container.name] = Built(identity, labels.get(CONTENT_LABEL, ""), labels.get(PARTS_LABEL, ""))
        return found

    def _share(self, images: Mapping[str, Built]) -> None:
        """Send the images to the other nodes; what a node that is off lacks, it gets when it is told to join again."""
        host = find_host(self.collective.hosts, self.collective.here)
        for uri in host.nodes if host else ():
            share(self.service, images, self.engine, Engine(uri), self.step)

    def _mark_data(self) -> None:
        """Make this engine's node the one that has the volumes, if none is."""
        if not any(node.data for node in swarm.find_nodes(self.engine)):
            swarm.mark_data(self.engine)

    def _wait(self, images: Mapping[str, Built], before: Mapping[str, Replicated]) -> None:
        """Wait until all containers run as they were given.

        Raises:
            StackFailed: when the swarm went back, or cannot start one that is new.
        """
        self.step("waiting until healthy")
        failed: list[Replicated] = []

        def over(found: Sequence[Replicated]) -> bool:
            now = {item.container: item for item in found}
            failed[:] = [item for name, item in now.items() if _has_failed(item, images.get(name), name in before)]
            return bool(failed) or (images.keys() <= now.keys() and not any(item.changing for item in found))

        found = self._until(over)
        if not failed:
            return
        lines = "\n".join(self._said(item) for item in failed)
        why = "; ".join(f"{item.container}: {item.fault or item.updating}" for item in failed)
        changed = [item for item in found if item.container in before and _differs(item, before[item.container])]
        for item in changed:
            swarm.must(self.engine, "service", "rollback", "--quiet", item.service)
        self._until(lambda now: not any(item.changing for item in now if item.container in before))
        ended = "; the version before never stopped" if before else ""
        raise StackFailed(f"did not become healthy: {why}{ended}", lines)

    def _until(self, over: Callable[[Sequence[Replicated]], bool]) -> tuple[Replicated, ...]:
        """Look until it is over; return what was seen last.

        Raises:
            StackFailed: when nothing changes any more.
        """
        seen: object = None
        end = monotonic() + STALL_SECONDS
        while True:
            found = self._observe()
            if over(found):
                return found
            if found != seen:
                seen, end = found, monotonic() + STALL_SECONDS
                self.step(", ".join(_progress(found)) or "starting")
            if monotonic() > end or self.stopping.wait(PAUSE):
                late = ", ".join(f"{item.container}: {item.fault or item.updating}" for item in found if item.changing)
                raise StackFailed(f"was not ready; the swarm goes on with it ({late})")

    def _said(self, item: Replicated) -> str:
        """Return the last lines of the task that failed."""
        if not item.failed_task:
            return ""
        said = self.engine.docker("service", "logs", "--raw", "--tail", LAST_LINES, item.failed_task)
        return (said.stdout + said.stderr).decode(errors="replace").rstrip()


def _progress(found: Sequence[Replicated]) -> Iterator[str]:
    return (f"{item.container} {item.ready} of {item.wanted}" for item in found if item.changing)


def _has_failed(item: Replicated, given: Built | None, existed: bool) -> bool:  # noqa: FBT001 (a fact about the item)
    if given and item.went_back and (item.image, item.content) != (given.id, given.content):
        return True
    return item.updating == "paused" or (not existed and item.failures >= MOST_FAILURES * max(1, item.wanted))


def _differs(now: Replicated, before: Replicated) -> bool:
    return (now.image, now.content) != (before.image, before.content)


def share(
    service: Service, images: Mapping[str, Built], here: Engine, node: Engine, step: Callable[[str], None]
) -> bool:
    """Send a service's images to a node, except those that it has; return whether the node answers."""
    names = {container.name: container.image for container in service.containers}
    try:
        lacking = [names[name] for name, image in images.items() if not node.has_image(image.id)]
        if lacking:
            step(f"sending {', '.join(lacking)} to {node.name}")
            send(lacking, here, node)
    except SystemFailure as error:
        step(f"{node.name} has not got the images: {error.message}")
        return False
    return True
