"""Run one compose command for services: stop, restart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from darkpeak.actions.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.evidence.ownership import require_ours

ABSENT = "not deployed"


@dataclass(frozen=True)
class Done:
    """What was done with one service."""

    service: str
    done: str


def stop(targets: Sequence[Target]) -> Iterator[Done]:
    """Stop services; yield the results.

    Raises:
        UsageError: when an engine belongs to another collective.
        SystemFailure: when compose cannot stop a service; those before it are stopped.
    """
    yield from _for_each(targets, "stop", "stopped")


def restart(targets: Sequence[Target]) -> Iterator[Done]:
    """Restart the containers of services, without building anything; yield the results.

    Raises:
        UsageError: when an engine belongs to another collective.
        SystemFailure: when compose cannot restart a service; those before it are restarted.
    """
    yield from _for_each(targets, "restart", "restarted")


def _for_each(targets: Sequence[Target], command: str, done: str) -> Iterator[Done]:
    for target in targets:
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
