"""Bring services to what their files say: plan, lock, carry out, record."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from darkpeak.actions.check import check_with_compose, require_sound
from darkpeak.actions.target import Target
from darkpeak.collective import count
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.executor import Executor, Outcome
from darkpeak.deploy.routing import NO_ROUTER, find_drift, route
from darkpeak.engine import base, lock
from darkpeak.engine.compose import Compose
from darkpeak.evidence import deploys
from darkpeak.plan.plan import Plan, make_plan
from darkpeak.progress import Progress
from darkpeak.router.routes import Changes, merge
from darkpeak.vocabulary import ROUTER, SUITE

UP = "up"


@dataclass(frozen=True)
class UpResult:
    """What `up` did on one engine."""

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    routes: Changes = field(default_factory=Changes)
    notes: tuple[str, ...] = ()
    host: str = ""

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The services that failed."""
        return tuple(item for item in self.outcomes if item.failure)

    def lines(self) -> list[str]:
        """Return the result in words, a line a service that changed."""
        failed = {item.service: item.failure for item in self.failures}
        lines = [
            f"{item.service}: {failed.get(item.service) or UP}"
            f" ({'; '.join(f'{change.container} {change.action.done}: {change.cause}' for change in item.changes)})"
            for item in self.plan.changes
        ]
        if not lines:
            lines = [f"nothing to do: {count(len(self.plan.services), 'service')} already as the files say"]
        routed = [f"routes: {self.routes}"] if self.routes else []
        return [*lines, *routed, *self.notes]


def with_dependencies(collective: Collective, services: Sequence[Service]) -> frozenset[str]:
    """Return the names of services and of everything that they depend on; all depend on the router."""
    known = {service.name: service for service in collective.services}
    wanted: set[str] = set()
    waiting = [service.name for service in services] + [ROUTER] * (ROUTER in known)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += collective.depends_on(known[name])
    return frozenset(wanted)


def plan_up(target: Target, backup_to: Path | None = None) -> Plan:
    """Return what `up` would do to the target's services and what they depend on; nothing is touched.

    Raises:
        SystemFailure: when the daemon or the router does not answer.
    """
    observed = target.engine.observe()
    plan = make_plan(target.collective, observed, with_dependencies(target.collective, target.services), backup_to)
    if plan.routes:  # the router is brought in line by what is done anyway
        return plan
    return replace(plan, drift=find_drift(target.collective, target.engine, observed))


def bring_up(target: Target, progress: Progress, backup_to: Path | None = None) -> UpResult:
    """Bring the target's services, and what they depend on, to what their files say, and route them.

    Raises:
        UsageError: when compose refuses the files of a service that changes; nothing was touched.
        SystemFailure: when the daemon or the router fails; the services' own failures are outcomes.
    """
    plan = plan_up(target, backup_to)
    changing = sorted(item.service for item in plan.changes)
    if not changing:
        return _finish(target, plan, (), progress)
    services = {service.name: service for service in target.collective.services}
    have_bases(target, [services[name] for name in changing], progress)
    with ThreadPoolExecutor(1) as pool, ExitStack() as held:
        checking = pool.submit(check_plan, target, plan)
        compose = lock_services(held, target, changing, progress)
        checking.result()
        # What was planned before the locks were ours may have been done by whoever held them.
        plan = plan_up(target, backup_to)
        kept = tuple(
            item if item.service in changing else replace(item, decisions=(), operations=()) for item in plan.services
        )
        return carry_out(target, compose, replace(plan, services=kept), UP, progress)


def check_plan(target: Target, plan: Plan) -> None:
    """Have compose itself check the files of the services that change.

    Raises:
        UsageError: for what it would refuse; nothing was touched.
    """
    changing = {item.service for item in plan.changes}
    services = [service for service in target.collective.services if service.name in changing]
    require_sound(check_with_compose(target.collective, services))


def carry_out(target: Target, compose: Compose, plan: Plan, what: str, progress: Progress) -> UpResult:
    """Carry out a plan whose services are locked, and record how each deploy ended."""
    outcomes = Executor(target.collective, compose, progress).carry_out(plan)
    services = {service.name: service for service in target.collective.services}
    changed = {item.service for item in plan.changes}
    for item in outcomes:
        if item.service in changed:
            ended = item.failure or UP
            deploys.record(target.engine, services[item.service], what, ended, target.collective.keep_deploys)
    return _finish(target, plan, outcomes, progress)


def have_bases(target: Target, services: Sequence[Service], progress: Progress) -> None:
    """Have the images that services start from, and the one that locks are made of."""
    for suite in sorted({*base.suites_of(services), SUITE}):
        base.ensure(target.engine, suite, partial(progress.step, "base"))


def lock_services(held: ExitStack, target: Target, names: Sequence[str], progress: Progress) -> Compose:
    """Lock services, so that compose holds the locks; always in one order, so that no two commands block each other."""
    locks = [held.enter_context(lock.hold(target.engine, name, partial(progress.step, name))) for name in names]
    return target.compose.holding(*locks)


def _finish(target: Target, plan: Plan, outcomes: Sequence[Outcome], progress: Progress) -> UpResult:
    """Bring the router in line where it differs and no service did so; note what a person should know."""
    done = [item.routes for item in outcomes]
    if plan.drift:
        done.append(route(target.collective, target.engine, partial(progress.step, "routes")))
    routes = merge(done)
    reverted = [f"the route {name} was not changed, because nothing answers there" for name in routes.reverted]
    notes = (*reverted, *(() if plan.routed else (NO_ROUTER,)))
    return UpResult(plan, tuple(outcomes), routes, notes, target.host)
