"""Wait until containers do what the plan started them for: are healthy, or have ended well."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from threading import Event

from darkpeak.deploy.explain import explain
from darkpeak.engine.engine import Engine
from darkpeak.plan.health import ENDED_SECONDS, allowed_seconds, fault_of, is_done, last_check, stop_seconds
from darkpeak.plan.observed import Running
from darkpeak.process import TookTooLong
from darkpeak.result import Result
from darkpeak.vocabulary import HEALTHY_SECONDS

STEP_SECONDS = 0.2


class NotReady(Exception):
    """Containers that did not become ready, and why the first of them did not."""

    def __init__(self, message: str, containers: tuple[Running, ...]) -> None:
        super().__init__(message)
        self.message, self.containers = message, containers


@dataclass(frozen=True)
class Waiting:
    """What is waited for: containers of one project on one engine."""

    engine: Engine
    project: str
    awaited: frozenset[str] = frozenset()  # containers for whose end others wait
    ending: frozenset[str] = frozenset()  # containers that may end
    stopping: Event = field(default_factory=Event)  # set when the command is interrupted

    def started(
        self, start: Callable[..., Result], names: Collection[str], arguments: Sequence[str], seconds: float = 0
    ) -> None:
        """Have compose start containers, for as long as their health checks allow: others may wait for them.

        Raises:
            NotReady: when compose fails, or when it takes longer.
        """
        limit = seconds or HEALTHY_SECONDS
        try:
            result = start(limit, *arguments)
        except TookTooLong as error:
            allowed = self.allowed(names)
            if allowed <= limit:
                raise NotReady(f"not all were started after {limit:.0f} s", self._unready()) from error
            again = [word for word in arguments if word != "--force-recreate"]
            return self.started(start, names, again, allowed)
        if result.code:
            raise NotReady(explain(self.engine, result.last_line()), self._unready())
        return None

    def until_ready(self, names: Collection[str], beside: Collection[str] = ()) -> tuple[Running, ...]:
        """Wait until these containers are ready; return them. `beside` are ids of instances that do not count.

        Raises:
            NotReady: when one has failed, or has taken longer than its health check allows.
        """
        began, allowed = time.monotonic(), float(HEALTHY_SECONDS)
        while True:
            found = tuple(item for item in self._observe(names) if item.id not in beside)
            passed = time.monotonic() - began
            waiting = tuple(item for item in found if not self._done(item, passed))
            if found and not waiting:
                return found
            for item in waiting:
                fault = fault_of(item)
                if fault:
                    raise NotReady(fault, waiting)
            if passed > allowed:
                allowed = self._allowed(waiting)  # asked only now: most are ready by then
            if passed > allowed or self.stopping.is_set():
                name = waiting[0].name if waiting else f"of {self.project}"
                raise NotReady(f"container {name} was not ready after {passed:.0f} s", waiting)
            self.stopping.wait(STEP_SECONDS)

    def allowed(self, names: Collection[str]) -> float:
        """Return how long compose may take to stop old containers and to start new ones, in seconds."""
        found = self._observe(names)
        return self._allowed(found) + max((stop_seconds(self.engine.inspect(item.id)) for item in found), default=0.0)

    def _unready(self) -> tuple[Running, ...]:
        found = self.engine.containers_of(self.project)
        return tuple(item for item in found if not item.ready and not item.ended_well)

    def _observe(self, names: Collection[str]) -> tuple[Running, ...]:
        return tuple(item for item in self.engine.containers_of(self.project) if item.container in names)

    def _done(self, item: Running, passed: float) -> bool:
        return is_done(item, passed, awaited=item.container in self.awaited, ends=item.container in self.ending)

    def _allowed(self, waiting: Collection[Running]) -> float:
        """Return how long these containers may take, by their own health checks."""
        if any(item.container in self.awaited for item in waiting):
            return float(ENDED_SECONDS)
        return max((allowed_seconds(self.engine.inspect(item.id)) for item in waiting), default=0.0)


def last_lines(engine: Engine, container: Running, most: int) -> str:
    """Return the last lines that a container printed, and those of its health check."""
    logs = engine.docker("logs", "--tail", str(most), container.id)
    printed = (logs.stdout + logs.stderr).decode(errors="replace").rstrip()
    checked = "" if container.health in {"", "healthy"} else last_check(engine.inspect(container.id), most)
    return "\n".join(line for line in (f"{container.name}:", printed, checked) if line)


def remove(engine: Engine, container: str, *, patient: bool) -> None:
    """Remove a container with its anonymous volumes.

    If `patient`, it may first finish its work for as long as its `stop_grace_period` says (10 s, if it says nothing).
    """
    if patient:
        engine.stop(container)
    engine.docker("rm", "--force", "--volumes", container)
