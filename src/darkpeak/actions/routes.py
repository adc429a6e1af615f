"""List routes, compare the routers with the files, set notices, and return the routers' CAs."""

from collections.abc import Sequence

from darkpeak.deploy.routing import require_router
from darkpeak.deploy.target import Target
from darkpeak.errors import UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.plan.routes import ListedRoute, list_routes, make_table
from darkpeak.router.control import Notice
from darkpeak.router.files import Drift


def find_routes(targets: Sequence[Target]) -> list[ListedRoute]:
    """Return every declared route, with the port to which it leads now."""
    listed: list[ListedRoute] = []
    for target in targets:
        here = {service.name for service in target.services}
        found = list_routes(target.collective, target.engine.observe())
        listed += [route for route in found if route.service in here]
    return listed


def check_routes(targets: Sequence[Target]) -> list[Drift]:
    """Return where the running routers differ from the files.

    Raises:
        SystemFailure: when a router is not running.
    """
    drift: list[Drift] = []
    for target in targets:
        observed = target.engine.observe()
        router = require_router(target.collective, target.engine, observed)
        drift += router.drift(make_table(target.collective, observed))
    return drift


def set_notice(target: Target, notice: Notice | None) -> None:
    """Have the router answer with a notice instead of the target's service, or (None) lead to the service again.

    Raises:
        UsageError: when the service has no http route, or when the engine belongs to another collective.
        SystemFailure: when the router is not running, or when it refuses.
    """
    service = target.service
    labels = [route.label for route in service.routes.http]
    if not labels:
        what = f"{service.name} has no http route, so it cannot show a notice"
        raise UsageError(what, hint=f"stop it instead: darkpeak stop {service.name}")
    require_ours(target.collective, target.engine)
    router = require_router(target.collective, target.engine, target.engine.observe())
    for label in labels:
        router.set_notice(label, notice)


def find_authorities(targets: Sequence[Target]) -> list[str]:
    """Return the certificates of the routers' CAs, in PEM, each once.

    Raises:
        SystemFailure: when a router is not running.
    """
    routers = (require_router(target.collective, target.engine, target.engine.observe()) for target in targets)
    return list(dict.fromkeys(router.authority() for router in routers))
