"""The router of an engine: found, brought in line with what runs, and asked to sign services' certificates."""

from collections.abc import Callable, Iterable

from darkpeak.collective.model import Collective, Service
from darkpeak.engine import lock
from darkpeak.engine.engine import Engine
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed, find_container
from darkpeak.plan.routes import make_table
from darkpeak.router.control import Router
from darkpeak.router.routes import Changes
from darkpeak.vocabulary import HAPROXY, ROUTER

ROUTES_LOCK = "_routes"  # no service can be called so
HINT = "darkpeak up router starts it"
NO_ROUTER = "the router is not running; services cannot be reached by name: darkpeak up router starts it"


def find_router(collective: Collective, engine: Engine, observed: Observed) -> Router | None:
    """Return the router that runs on an engine, if one does."""
    running = find_container(collective, observed, ROUTER, HAPROXY)
    return Router(Inside(engine, running.id)) if running else None


def require_router(collective: Collective, engine: Engine, observed: Observed) -> Router:
    """Return the router that runs on an engine.

    Raises:
        SystemFailure: when none does.
    """
    router = find_router(collective, engine, observed)
    if router is None:
        raise SystemFailure(f"the router is not running on {engine.name}", hint=HINT)
    return router


def find_drift(collective: Collective, engine: Engine, observed: Observed) -> tuple[str, ...]:
    """Return what the running router has otherwise than it should; nothing where none runs."""
    router = find_router(collective, engine, observed)
    return tuple(map(str, router.drift(make_table(collective, observed)))) if router else ()


def route(
    collective: Collective, engine: Engine, waiting: Callable[[str], None], leaving: Iterable[str] = ()
) -> Changes:
    """Lead the router to what runs now, but for containers that are `leaving`; change nothing where none runs.

    Raises:
        SystemFailure: when the router refuses; what it did before is back.
    """
    with lock.hold(engine, ROUTES_LOCK, waiting):
        observed = engine.observe()
        router = find_router(collective, engine, observed)
        table = make_table(collective, observed.without(frozenset(leaving)))
        return router.apply(table) if router else Changes()


def certify(collective: Collective, engine: Engine, service: Service, container: str) -> None:
    """Have the collective's CA sign the certificate that a service keeps for itself.

    Raises:
        SystemFailure: when the service asks for none, the router does not sign it, or the service does not take it.
    """
    observed = engine.observe()
    router = find_router(collective, engine, observed)
    if router is None:
        return
    hosts = {route.host(collective.domain) for route in service.routes.named}
    names = (collective.domain, *sorted(host for host in hosts if host.endswith(f".{collective.domain}")))
    for item in (found for found in observed.of(service.project, container) if found.ready):
        asked = engine.exec_in(item.id, ("certificate", "request"))
        if asked.code:
            raise SystemFailure(f"{service.name} asked for no certificate: {asked.last_line()}", where=item.name)
        installed = engine.exec_in(item.id, ("certificate", "install"), router.sign(asked.stdout, names))
        if installed.code:
            why = installed.last_line()
            raise SystemFailure(f"{service.name} did not take its certificate: {why}", where=item.name)
