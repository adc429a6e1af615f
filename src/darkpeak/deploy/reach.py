"""Which services answer as members ask them: through the router."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from darkpeak.deploy import stand_ins
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed
from darkpeak.plan.routes import make_table
from darkpeak.plan.status import HEALTHY, ServiceStatus, make_status, mark_unreachable, state_in
from darkpeak.router.routes import Counted


def find_rows(target: Target, observed: Observed) -> list[ServiceStatus]:
    """Return the status of each service on an engine, with the router's counters, as members find it."""
    with ThreadPoolExecutor(1) as pool:
        cut = pool.submit(_cut_off, target, observed)
        counted, silent = ask_router(target, observed)
    rows = make_status(target.collective, target.services, observed, target.host, counted)
    return mark_unreachable(rows, silent, cut.result())


def _cut_off(target: Target, observed: Observed) -> dict[str, str]:
    """Return the services that do not reach what a stand-in stands for, each with that service and its host."""
    with suppress(SystemFailure):
        found = stand_ins.find_unreached(target.collective, target.engine, observed)
        return {name: f"{item.service} on {item.host}" for name, item in found.items()}
    return {}


def ask_router(target: Target, observed: Observed) -> tuple[list[Counted], frozenset[str]]:
    """Return the router's counters, and the services that are healthy but have an http route that does not answer.

    Without a router that works, both are empty: a broken router must not hide the state of the services.
    """
    healthy = [item for item in target.services if state_in(item, observed) == HEALTHY]
    owners = {route.label: service.name for service in healthy for route in service.routes.http}
    with suppress(SystemFailure), ThreadPoolExecutor(1) as pool:
        router = find_router(target.collective, target.engine, observed)
        if router is None:
            return [], frozenset()
        silent = pool.submit(router.silent, make_table(target.collective, observed), owners)
        return router.counters(), frozenset(owners[label] for label in silent.result())
    return [], frozenset()
