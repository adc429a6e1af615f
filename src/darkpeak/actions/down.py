"""Remove the containers, networks and routes of services, and (volumes) their data."""

from contextlib import ExitStack
from functools import partial

from darkpeak.actions.up import ensure_base_images, lock_services, with_dependencies
from darkpeak.deploy.routing import route
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.owners import ENGINE, OwnerRecord
from darkpeak.evidence.ownership import require_ours
from darkpeak.plan.observed import Observed
from darkpeak.progress import Progress
from darkpeak.vocabulary import PROJECT_LABEL


def take_down(target: Target, progress: Progress, *, volumes: bool) -> tuple[str, ...]:
    """Remove the target's services, last those that others depend on, then their routes; return the removed names.

    With all their volumes, nothing of the collective stays there, so the engine no longer belongs to it.

    Raises:
        UsageError: when a service that stays depends on one of them, or when the engine belongs to another collective.
        SystemFailure: when compose fails.
    """
    require_ours(target.collective, target.engine)
    before = target.engine.observe()
    check_not_needed(target, before)
    present = [service for service in target.running if volumes or before.of(service.project)]
    present.sort(key=lambda item: (-len(with_dependencies(target.collective, [item])), item.name))
    if not present:
        return ()
    ensure_base_images(target, [], progress)
    with ExitStack() as stack:
        compose = lock_services(stack, target, sorted(service.name for service in present), progress)
        for service in present:
            progress.step(service.name, "removing")
            result = compose.call(service, "down", "--remove-orphans", *(["--volumes"] if volumes else []))
            if result.code:
                raise SystemFailure(
                    f"{service.name} was not removed: {result.last_line()}", hint="run the same command again"
                )
        route(target.collective, target.engine, partial(progress.step, "routes"))
    if volumes and not _has_data(target):
        store.remove(target.engine, OwnerRecord, ENGINE)
    return tuple(service.name for service in present)


def _has_data(target: Target) -> bool:
    """Return whether a volume of the collective is left on the engine."""
    projects = {service.project for service in target.collective.services}
    found = target.engine.volumes(PROJECT_LABEL).values()
    return any(labels[PROJECT_LABEL] in projects for labels in found)


def check_not_needed(target: Target, before: Observed) -> None:
    """Check that no service that stays depends on one that is removed.

    Raises:
        UsageError: when one does; it names both.
    """
    names = {service.name for service in target.services}
    for service in target.collective.services:
        needed = sorted(names & set(target.collective.depends_on(service)))
        if needed and service.name not in names and before.of(service.project):
            hint = f"remove both: add {service.name} to the command"
            raise UsageError(f"{service.name} depends on {needed[0]}", hint=hint)
