"""Find the router of an engine, change its routes to what runs."""

from collections.abc import Callable, Collection, Iterable

from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.login_page import find_keys
from darkpeak.engine import lock
from darkpeak.engine.engine import Engine
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.moves import ARRIVING, MoveRecord
from darkpeak.plan.observed import Observed, find_container
from darkpeak.plan.routes import make_table
from darkpeak.router.control import Router
from darkpeak.router.routes import Changes, Table
from darkpeak.vocabulary import HAPROXY, ROUTER

HINT = "start it: darkpeak up router"
NO_ROUTER = "the router is not running, so no service can be reached by its name; start it: darkpeak up router"


def find_router(collective: Collective, engine: Engine, observed: Observed) -> Router | None:
    """Return the router that runs on an engine; None if none runs."""
    running = find_container(collective, observed, ROUTER, HAPROXY)
    return Router(Inside(engine, running.id)) if running else None


def require_router(collective: Collective, engine: Engine, observed: Observed) -> Router:
    """Return the router that runs on an engine.

    Raises:
        SystemFailure: when none runs.
    """
    router = find_router(collective, engine, observed)
    if router is None:
        raise SystemFailure(f"the router is not running on the engine at {engine.name}", hint=HINT)
    return router


def find_drift(collective: Collective, engine: Engine, observed: Observed) -> tuple[str, ...]:
    """Return how the running router differs from the files; nothing if no router runs."""
    router = find_router(collective, engine, observed)
    if router is None:
        return ()
    return tuple(map(str, router.drift(table_of(collective, engine, observed))))


def table_of(collective: Collective, engine: Engine, observed: Observed) -> Table:
    """Return the routes that a router should have.

    None leads to the copies of services that move to this host and are not open yet, or that have moved away.
    """
    records = store.read(engine).all(MoveRecord)
    moved, arriving = (
        {item.service for item in records},
        {item.service: item.other for item in records if item.stage == ARRIVING},
    )
    services = [service for service in collective.services if service.name in moved]
    led = observed.without(frozenset(item.id for service in services for item in observed.of(service.project)))
    return make_table(collective, led, find_keys(collective, engine, observed), arriving)


def route(
    collective: Collective,
    engine: Engine,
    on_wait: Callable[[str], None],
    leaving: Iterable[str] = (),
    asked: Collection[str] = (),
) -> Changes:
    """Change the router's routes to what runs now; return what changed, which is nothing if no router runs.

    `leaving` are ids of containers that must get no route, because they will be removed. `asked` are names of routes
    that must answer; those that do not are `silent` in the result.

    Raises:
        SystemFailure: when the router refuses; its state before is restored.
    """
    with lock.hold(engine, lock.ROUTES, on_wait):
        observed = engine.observe()
        router = find_router(collective, engine, observed)
        if router is None:
            return Changes()
        return router.apply(table_of(collective, engine, observed.without(frozenset(leaving))), asked)


def is_busy(collective: Collective, engine: Engine, service: Service) -> bool:
    """Return whether the router is waiting for a service's answer to an http request, or cannot say."""
    try:
        router = find_router(collective, engine, engine.observe())
        return router is None or any(item.current for item in router.counters() if item.block == service.block)
    except SystemFailure:
        return True


def require_answer(collective: Collective, engine: Engine, service: Service, on_wait: Callable[[str], None]) -> None:
    """See a service that has just started answer through the router, at each of its http routes.

    Raises:
        SystemFailure: when the router refuses, or when the service does not answer.
    """
    labels = [item.label for item in service.routes.http]
    on_wait("asking it through the router")
    silent = set(route(collective, engine, on_wait, asked=labels).silent) if labels else set()
    hosts = [item.host(collective.domain) for item in service.routes.http if item.label in silent]
    if hosts:
        what = f"{service.name} runs, but does not answer through the router at {', '.join(hosts)}"
        raise SystemFailure(what, hint=f"see why: darkpeak logs {service.name}")
