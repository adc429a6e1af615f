"""List routes, compare the routers with the files, set notices, and return the routers' CAs."""

from collections.abc import Iterable
from contextlib import suppress

from darkpeak.collective.hosts import peers_of
from darkpeak.deploy import authority, routing, stand_ins
from darkpeak.deploy.routing import require_router, table_of
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.plan.routes import ListedRoute, list_routes
from darkpeak.router.control import Notice
from darkpeak.router.files import Drift

LONGEST_NOTICE = 1000  # characters; as HTML, one may become six bytes, and the router takes 12,000 in one line


def find_routes(target: Target) -> list[ListedRoute]:
    """Return every declared route of the target, with the port to which it leads now."""
    here = {service.name for service in target.services}
    found = list_routes(target.collective, target.engine.observe())
    return [route for route in found if route.service in here]


def check_routes(target: Target) -> list[Drift]:
    """Return where the running router differs from the files.

    Raises:
        SystemFailure: when the router is not running.
    """
    observed = target.engine.observe()
    router = require_router(target.collective, target.engine, observed)
    return router.drift(table_of(target.collective, target.engine, observed))


def lead(targets: Iterable[Target]) -> None:
    """Have routers lead to what was deployed on other hosts; those that do not answer learn it at the next `up`."""
    for target in targets:
        if peers_of(target.collective) and not target.engine.failure:
            with suppress(SystemFailure):
                authority.follow(target)
                routing.route(target.collective, target.engine, lambda _: None)
                stand_ins.follow(target.collective, target.engine)


def set_notice(target: Target, notice: Notice | None) -> None:
    """Have the router answer with a notice instead of the target's service, or (None) lead to the service again.

    Raises:
        UsageError: when the service has no http route, the engine belongs to another collective, or the notice is empty
            or too long.
        SystemFailure: when the router is not running, or when it refuses.
    """
    if notice:
        check_notice(notice.text)
    service = target.service
    labels = [route.label for route in service.routes.http]
    if not labels:
        what = f"{service.name} has no http route, so it cannot show a notice"
        raise UsageError(what, hint=f"stop it instead: darkpeak stop {service.name}")
    require_ours(target.collective, target.engine)
    router = require_router(target.collective, target.engine, target.engine.observe())
    for label in labels:
        router.set_notice(label, notice)


def check_notice(text: str) -> None:
    """Check that members can read a notice, and that the router can hold it.

    Raises:
        UsageError: when it is empty, too long, or not UTF-8.
    """
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise UsageError("the notice is empty", hint="write what members should read, or leave it out")
    if len(text) > LONGEST_NOTICE:
        what = f"the notice has {len(text)} characters; at most {LONGEST_NOTICE} are possible"
        raise UsageError(what, hint="write one or two sentences")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError("the notice is not UTF-8 text", hint="write it again, in a terminal that uses UTF-8")


def find_authority(target: Target) -> str:
    """Return the certificate of the router's CA, in PEM.

    Raises:
        SystemFailure: when the router is not running.
    """
    return require_router(target.collective, target.engine, target.engine.observe()).authority()
