"""A plan in words. Pure."""

from collections.abc import Iterator

from darkpeak.plan.decisions import Action
from darkpeak.plan.operations import (
    BackUp,
    Build,
    Certify,
    ClearNetwork,
    DeployStack,
    Drain,
    GoBack,
    JoinNetwork,
    MakeClient,
    Operation,
    Remove,
    Represent,
    Route,
    Start,
    StartBeside,
    UseImages,
)
from darkpeak.plan.plan import Plan, ServicePlan
from darkpeak.vocabulary import PROJECT

NOT_UNDONE = "note: going back does not undo changes to the data; to save the data first: up --backup-first DIR"


def make_text(plan: Plan) -> Iterator[str]:
    """Yield the plan's lines: each service that changes, why, and its operations; then the other services."""
    for service in plan.changes:
        yield from _service(service)
    same = [service.service for service in plan.services if not service.changes]
    if same:
        yield f"nothing to do: {', '.join(same)}"
    if plan.drift:
        yield f"the router differs from the files and will be synchronised: {'; '.join(plan.drift)}"
    if plan.files:
        yield f"plain docker compose would use another domain or other ports; up will write {', '.join(plan.files)}"
    for service_name, why in plan.clients:
        yield f"{service_name} will be made a client of the login page again: {why}"
    for change in plan.stand_ins:
        yield change
    for change in plan.groups:
        yield f"the directory follows the admins in the compose files: {change}"
    for project in plan.orphans:
        by_name = f"remove it with its data: darkpeak remove {project.removeprefix(PROJECT)}"
        by_hand = f"remove it: docker compose -p {project} down"
        yield f"orphan: the project {project} is in no file; {by_name if project.startswith(PROJECT) else by_hand}"


def _service(service: ServicePlan) -> Iterator[str]:
    yield service.service + f" (after {', '.join(service.after)})" * bool(service.after)
    for change in service.changes:
        yield f"  {change.container}: {change.cause}"
    yield from (f"  {change}" for change in service.volumes)
    for number, operation in enumerate(service.operations, 1):
        yield f"  {number}. {describe(operation)}"
    if service.owns_data and service.containers(Action.REPLACE, Action.UPDATE):
        yield f"  {NOT_UNDONE}"


def describe(operation: Operation) -> str:  # noqa: C901, PLR0911, PLR0912 (one for each operation)
    """Return an operation in words, with what happens when it fails."""
    match operation:
        case Build(containers, fresh):
            return f"build {', '.join(containers)}" + " without the cache" * fresh
        case BackUp(folder):
            return f"back up its data to {folder}; if that fails, stop"
        case UseImages(images):
            return f"use the earlier images of {', '.join(name for name, _ in images)}"
        case MakeClient():
            return "make it a client of the login page"
        case Represent(stand_in):
            return f"have {stand_in} answer in the network {stand_in.network}"
        case ClearNetwork(network):
            return f"stop its containers, and remove the network {network}, which has another subnet in the files"
        case JoinNetwork(network, others):
            return f"connect {', '.join(name for _, name in others)} to {network} again"
        case Start():
            return _start(operation)
        case DeployStack():
            return "give it to the swarm and wait until healthy; if that fails, the swarm goes back"
        case StartBeside(container, _, otherwise):
            return f"start a new {container} beside the old one and wait until healthy{_otherwise(otherwise)}"
        case Certify(container):
            return f"sign the certificate of {container}"
        case Route(names, otherwise):
            back = "; if a route does not answer, remove the new one; the old one keeps running" * bool(otherwise)
            return f"route {', '.join(names) or 'all that differs'}{back}"
        case Drain(seconds, early):
            return f"wait {'at most ' * early}{seconds:g} s for the last requests to the old one"
        case Remove(container, ids, cause):
            return f"remove {f'{len(ids)} of ' * (len(ids) > 1)}{container}: {cause}"


def _start(operation: Start) -> str:
    what = ", ".join(operation.containers) or "its containers"
    if operation.ending:
        return f"run {what} to the end; if that fails, stop: what runs stays as it is"
    return f"{'recreate' if operation.anew else 'start'} {what} and wait until healthy{_otherwise(operation.otherwise)}"


def _otherwise(back: GoBack | None) -> str:
    if back is None:
        return ""
    if back.restart:
        return f"; if that fails, start the version before again: {', '.join(dict.fromkeys(back.containers))}"
    return "; if that fails, remove it; the old one keeps running"
