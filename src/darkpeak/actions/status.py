"""The status of services: their containers, requests, newest backups and last drills."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store, summary
from darkpeak.plan.observed import Observed
from darkpeak.plan.routes import make_table
from darkpeak.plan.status import HEALTHY, ServiceStatus, make_status, mark_unreachable, state_of
from darkpeak.router.routes import Counted


def find_status(targets: Sequence[Target]) -> list[ServiceStatus]:
    """Return a row for each service of the targets.

    Raises:
        SystemFailure: when a daemon does not answer.
    """
    rows = []
    for target in targets:
        observed = target.engine.observe()
        counted, silent = _ask_router(target, observed)
        found = make_status(target.collective, target.services, observed, target.host, counted)
        found = mark_unreachable(found, target.services, silent)
        rows += _with_proofs(target, found) if target.collective.backup.repositories else found
    return rows


def _ask_router(target: Target, observed: Observed) -> tuple[list[Counted], tuple[str, ...]]:
    """Return the router's counters, and the routes of healthy services that do not answer through it."""
    with suppress(SystemFailure), ThreadPoolExecutor(1) as pool:  # a broken router must not hide the services' state
        router = find_router(target.collective, target.engine, observed)
        if router is None:
            return [], ()
        healthy = [item for item in target.services if state_of(item, observed.of(item.project)) == HEALTHY]
        labels = [route.label for service in healthy for route in service.routes.http]
        silent = pool.submit(router.silent, make_table(target.collective, observed), labels)
        return router.counters(), silent.result()
    return [], ()


def _with_proofs(target: Target, rows: list[ServiceStatus]) -> list[ServiceStatus]:
    """Return the rows with each service's newest backup and last drill, and when the nightly jobs last ran."""
    records, now = store.read(target.engine), datetime.now(UTC)
    proofs = summary.describe(records, [service.name for service in target.running], now)
    night = summary.describe_night(records, target.collective.name, now)
    none = summary.Proofs("", "")
    found = [(row, proofs.get(row.service, none)) for row in rows]
    return [replace(row, saved=proof.saved, drilled=proof.drilled, nightly=night) for row, proof in found]
