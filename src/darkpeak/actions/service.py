"""Run one compose command for services: stop, restart."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from darkpeak.actions.ready import make_start
from darkpeak.collective.model import Service
from darkpeak.deploy import routing
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.evidence.ownership import require_ours
from darkpeak.progress import Progress

ABSENT = "not deployed"


@dataclass(frozen=True)
class Done:
    """What was done with one service."""

    service: str
    done: str


def stop(target: Target) -> Iterator[Done]:
    """Stop services; yield the results.

    Raises:
        UsageError: when the engine belongs to another collective.
        SystemFailure: when compose cannot stop a service; those before it are stopped.
    """
    yield from _for_each(target, "stop", "stopped")


def restart(target: Target, progress: Progress) -> Iterator[Done]:
    """Restart the containers of services, without building anything, and see each answer; yield the results.

    Raises:
        UsageError: when the engine belongs to another collective.
        SystemFailure: when a service does not start, or does not answer through the router; those before it do.
    """
    for done in _for_each(target, "restart", "restarted"):
        service = next(item for item in target.services if item.name == done.service)
        if done.done != ABSENT:
            _require_started(target, service, progress)
        yield done


def _require_started(target: Target, service: Service, progress: Progress) -> None:
    progress.step(service.name, "starting")
    waited = target.compose.call(service, *make_start(service))
    if waited.code:
        hint = f"see why: darkpeak logs {service.name}"
        raise SystemFailure(f"{service.name} did not become healthy: {waited.last_line()}", hint=hint)
    routing.require_answer(target.collective, target.engine, service, partial(progress.step, service.name))
    progress.step(service.name, "healthy")


def _for_each(target: Target, command: str, done: str) -> Iterator[Done]:
    require_ours(target.collective, target.engine)
    observed = target.engine.observe()
    for service in target.running:
        if not observed.of(service.project):
            yield Done(service.name, ABSENT)
            continue
        result = target.compose.call(service, command)
        if result.code:
            hint = f"see why: darkpeak logs {service.name}"
            raise SystemFailure(f"{service.name} was not {done}: {result.last_line()}", hint=hint)
        yield Done(service.name, done)
