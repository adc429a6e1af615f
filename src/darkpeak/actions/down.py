"""Remove services' containers, networks and routes, and with them their data where that is asked for."""

from contextlib import ExitStack
from functools import partial

from darkpeak.actions.target import Target
from darkpeak.actions.up import have_bases, lock_services, with_dependencies
from darkpeak.deploy.routing import route
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.observed import Observed
from darkpeak.progress import Progress


def take_down(target: Target, progress: Progress, *, volumes: bool) -> tuple[str, ...]:
    """Remove the target's services, those that others depend on last, then their routes; return what was removed.

    Raises:
        UsageError: when a service that stays depends on one of them.
        SystemFailure: when compose does not remove one.
    """
    before = target.engine.observe()
    check_not_needed(target, before)
    present = [service for service in target.running if volumes or before.of(service.project)]
    present.sort(key=lambda item: (-len(with_dependencies(target.collective, [item])), item.name))
    if not present:
        return ()
    have_bases(target, [], progress)
    with ExitStack() as held:
        compose = lock_services(held, target, sorted(service.name for service in present), progress)
        for service in present:
            progress.step(service.name, "removing")
            result = compose.call(service, "down", "--remove-orphans", *(["--volumes"] if volumes else []))
            if result.code:
                raise SystemFailure(f"{service.name} was not removed: {result.last_line()}", hint="run it again")
        route(target.collective, target.engine, partial(progress.step, "routes"))
    return tuple(service.name for service in present)


def check_not_needed(target: Target, before: Observed) -> None:
    """Refuse while a service that stays depends on one that goes.

    Raises:
        UsageError: naming both.
    """
    names = {service.name for service in target.services}
    for service in target.collective.services:
        needed = sorted(names & set(target.collective.depends_on(service)))
        if needed and service.name not in names and before.of(service.project):
            hint = f"take it down as well: add {service.name}"
            raise UsageError(f"{service.name} depends on {needed[0]}", hint=hint)
