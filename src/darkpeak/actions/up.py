"""Make services match their files: plan, lock, carry out, record."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from darkpeak.actions import admin_groups
from darkpeak.collective import count
from darkpeak.collective.environment import differing
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.stand_ins import elsewhere
from darkpeak.deploy import authority, stand_ins
from darkpeak.deploy.check import check_with_compose, require_sound
from darkpeak.deploy.executor import Executor
from darkpeak.deploy.login_page import find_unknown, make_client
from darkpeak.deploy.outcome import Outcome
from darkpeak.deploy.routing import NO_ROUTER, find_drift, route
from darkpeak.deploy.target import Target
from darkpeak.engine import base, lock
from darkpeak.engine.compose import Compose
from darkpeak.engine.facts import read_network
from darkpeak.errors import UsageError
from darkpeak.evidence import deploys, store
from darkpeak.evidence.moves import MoveRecord, find_gone
from darkpeak.evidence.owners import OwnerRecord
from darkpeak.evidence.ownership import claim, require_ours
from darkpeak.plan.conflicts import find_conflicts
from darkpeak.plan.decisions import Outdated
from darkpeak.plan.operations import Represent, Route
from darkpeak.plan.plan import Plan, make_plan
from darkpeak.plan.volumes import with_volumes
from darkpeak.progress import Progress
from darkpeak.router.routes import Changes, merge
from darkpeak.vocabulary import COLLECTIVE_FILE, DIRECTORY, PROJECT_LABEL, ROUTER, SUITE

UP = "up"


@dataclass(frozen=True)
class Wanted:
    """What is wanted beside services that match their files."""

    backup_to: Path | None = None  # the folder of this machine where data is saved before it is touched
    outdated: Outdated = frozenset()  # containers whose images are built anew, without the cache
    why: str = UP  # the word in the history


PLAIN = Wanted()


@dataclass(frozen=True)
class UpResult:
    """The result of `up` or `rollback` on one engine."""

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
        """Return the result in words, one line for each service that changed."""
        failed = {item.service: item.failure for item in self.failures}
        lines = [
            f"{item.service}: {failed.get(item.service) or UP}"
            f" ({'; '.join(f'{change.container} {change.action.done}: {change.cause}' for change in item.changes)})"
            for item in self.plan.changes
        ]
        if not lines:
            number = len(self.plan.services)
            lines = [f"nothing to do: {count(number, 'service')} {'matches' if number == 1 else 'match'} the files"]
        routed = [f"routes: {self.routes}"] if self.routes else []
        return [*lines, *routed, *self.notes]


def with_dependencies(collective: Collective, services: Sequence[Service]) -> frozenset[str]:
    """Return the names of services and of all that they depend on; the router is always among them.

    What lives on another host, and has a stand-in on this one, is not.
    """
    known = {service.name: service for service in collective.services}
    wanted: set[str] = set()
    waiting = [service.name for service in services] + [ROUTER] * (ROUTER in known)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += set(collective.depends_on(known[name])) - elsewhere(collective, known[name])
    return frozenset(wanted)


def plan_up(target: Target, wanted: Wanted = PLAIN) -> Plan:
    """Return the plan for the target's services and what they depend on; nothing is touched.

    Raises:
        UsageError: when the engine belongs to another collective, or has the CA of another domain.
        SystemFailure: when the daemon or the router does not answer.
    """
    require_ours(target.collective, target.engine, deploys=True)
    return _plan(_without_gone(target), wanted)


def _without_gone(target: Target, names: Collection[str] = ()) -> Target:
    """Return the target with a fault for each service that has moved away, so that no second copy is started.

    Raises:
        UsageError: when the user named one of them; nothing was touched.
    """
    faults = find_gone(target.services, store.read(target.engine).all(MoveRecord))
    require_sound([fault for fault in faults if fault.at.service in names])
    collective = replace(target.collective, faults=(*target.collective.faults, *faults))
    return replace(target, collective=collective) if faults else target


def _plan(target: Target, wanted: Wanted, *, again: bool = False) -> Plan:
    """Return the plan; if it will be made `again` before anything is changed, without what that plan finds anyway."""
    observed = target.engine.observe()
    names = with_dependencies(target.collective, target.services)
    unknown = tuple(find_unknown(target.collective, target.engine, observed, names))
    observed = replace(observed, unknown_clients=unknown)
    plan = make_plan(target.collective, observed, names, wanted.backup_to, wanted.outdated)
    changing = {item.service for item in plan.changes}
    plan = replace(plan, clients=tuple(item for item in unknown if item[0] not in changing))
    made = {step.stand_in for item in plan.services for step in item.operations if isinstance(step, Represent)}
    differing_ones = stand_ins.find_changes(target.collective, target.engine, observed)
    plan = replace(plan, stand_ins=tuple(str(item) for item in differing_ones if item.stand_in not in made))
    root = target.collective.root
    if plan.changes:
        plan = with_volumes(plan, target.collective, target.engine.volumes(PROJECT_LABEL))
    plan = replace(plan, files=tuple(str(path.relative_to(root)) for path in differing(target.collective)))
    if again and plan.changes:
        return plan
    if DIRECTORY in {item.service for item in plan.services}:
        plan = replace(plan, groups=tuple(map(str, admin_groups.find_changes(target, observed))))
    if plan.routes:  # an operation of the plan sets the routes anyway
        return plan
    return replace(plan, drift=find_drift(target.collective, target.engine, observed))


def bring_up(target: Target, progress: Progress, wanted: Wanted = PLAIN, names: Collection[str] = ()) -> UpResult:
    """Make the target's services, and what they depend on, match their files, and route them.

    Services with faults are left out; but if compose refuses one of the services that the user named, nothing is done.

    Raises:
        UsageError: when compose refuses the files of a named service, when the engine belongs to another collective, or
            when it has the CA of another domain; nothing was touched.
        SystemFailure: when the daemon or the router fails; failures of single services are in the result.
    """
    known = require_ours(target.collective, target.engine, deploys=True)
    target = _without_gone(target, names)
    authority.prepare(target, partial(progress.step, ROUTER))
    plan = _plan(target, wanted, again=True)
    changing = sorted(item.service for item in plan.changes)
    if not changing:
        written = _write_files(target, known, plan)
        return _finish(target, plan, (), progress, written)
    services = {service.name: service for service in target.collective.services}
    ensure_base_images(target, [services[name] for name in changing], progress)
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        checking = pool.submit(check_plan, target, plan, names)
        compose = lock_services(stack, target, changing, progress)
        target = checking.result()
        written = _write_files(target, known, plan)
        # Plan again: while we waited for the locks, somebody else may have deployed.
        plan = _plan(target, wanted)
        kept = tuple(
            item if item.service in changing else replace(item, decisions=(), operations=()) for item in plan.services
        )
        for item in plan.changes:
            for change in item.volumes:
                progress.step(item.service, change)
        return carry_out(target, compose, replace(plan, services=kept), wanted.why, progress, written)


def _write_files(target: Target, known: OwnerRecord | None, plan: Plan) -> tuple[str, ...]:
    """Make the engine this collective's, and write the `.env` files of the plan; return which files were written.

    Raises:
        UsageError: when a file cannot be written; the services are not touched.
    """
    own = (COLLECTIVE_FILE,) if claim(target.collective, target.engine, known) else ()
    for path, text in differing(target.collective).items() if plan.files else ():
        try:
            path.write_text(text, encoding="utf-8") if text else path.unlink()
        except OSError as error:
            where = str(path.relative_to(target.collective.root))
            raise UsageError(f"it cannot be written: {error.strerror}", where, "let your login write there") from error
    return (*own, *plan.files)


def plan_checked(target: Target, wanted: Wanted = PLAIN, names: Collection[str] = ()) -> Plan:
    """Return the plan, without services whose files compose refuses; nothing is touched.

    Raises:
        UsageError: when compose refuses a file of one of the named services.
        SystemFailure: when the daemon or the router does not answer.
    """
    plan = plan_up(target, wanted)
    checked = check_plan(target, plan, names)
    return plan if checked is target else plan_up(checked, wanted)


def check_plan(target: Target, plan: Plan, names: Collection[str]) -> Target:
    """Have compose check the files of the services that change; return the target with what compose refuses as faults.

    Raises:
        UsageError: when compose refuses a file of one of the named services; nothing was touched.
    """
    from darkpeak.lint import stops  # all rules, which are loaded only if something changes

    changing = {item.service for item in plan.changes}
    services = [service for service in target.collective.services if service.name in changing]
    networks = [read_network(item) for item in target.engine.networks()]
    faults = [
        *(item for item in check_with_compose(target.collective, services) if stops(item)),
        *find_conflicts(target.collective, services, target.engine.observe(), networks),
    ]
    require_sound([fault for fault in faults if fault.at.service in ("", *names)])
    collective = replace(target.collective, faults=(*target.collective.faults, *faults))
    return replace(target, collective=collective) if faults else target


def carry_out(  # noqa: PLR0913, PLR0917 (the plan, how to carry it out, and what is recorded and shown of it)
    target: Target, compose: Compose, plan: Plan, what: str, progress: Progress, written: tuple[str, ...] = ()
) -> UpResult:
    """Carry out a plan whose services are locked, and record each deploy; return the result."""
    outcomes = Executor(target.collective, compose, progress).carry_out(plan)
    services = {service.name: service for service in target.collective.services}
    changed = {item.service for item in plan.changes}
    for item in outcomes:
        if item.service in changed:
            ended = item.failure or UP
            deploys.record(target.engine, services[item.service], what, ended, target.collective.keep_deploys)
    return _finish(target, plan, outcomes, progress, written)


def ensure_base_images(target: Target, services: Sequence[Service], progress: Progress) -> None:
    """Make sure that the engine has the base images of services, and the image of locks."""
    for suite in sorted({*base.suites_of(services), SUITE}):
        base.ensure(target.engine, suite, partial(progress.step, "base"))


def lock_services(stack: ExitStack, target: Target, names: Sequence[str], progress: Progress) -> Compose:
    """Lock services until the stack ends; return a compose that holds the locks while its tools run.

    The names must be sorted, so that two commands never wait for each other.
    """
    locks = [stack.enter_context(lock.hold(target.engine, name, partial(progress.step, name))) for name in names]
    return target.compose.holding(*locks)


def _changed(plan: Plan, service: str) -> bool:
    return any(item.service == service for item in plan.changes)


def _finish(
    target: Target, plan: Plan, outcomes: Sequence[Outcome], progress: Progress, written: tuple[str, ...]
) -> UpResult:
    """Synchronise the router if it differs and no service did so; return the result."""
    done = [item.routes for item in outcomes]
    unrouted = {item.name for item in target.collective.services if not item.routes}  # only the prober asks them
    if plan.drift or any(item.service in unrouted for item in plan.changes):
        done.append(route(target.collective, target.engine, partial(progress.step, "routes")))
    # Before a service was ready, the deploy of another one has found that its routes do not answer.
    failed = {item.service for item in outcomes if item.failure}
    steps = [step for item in plan.services if item.service not in failed for step in item.operations]
    routes = merge(done, {name for step in steps if isinstance(step, Route) for name in step.names})
    reverted = [f"the route {name} was not changed: nothing answers there" for name in routes.reverted]
    wrote = [f"wrote {', '.join(written)}: commit this to git"] if written else []
    volumes = [f"{item.service}: {change}" for item in plan.changes for change in item.volumes]
    for name, _ in plan.clients:
        progress.step(name, "making it a client of the login page")
        service = next(item for item in target.collective.services if item.name == name)
        make_client(target.collective, target.engine, service)
    followed = admin_groups.follow(target) if plan.groups or _changed(plan, DIRECTORY) else []
    signed = authority.follow(target)
    answering = stand_ins.follow(target.collective, target.engine)
    notes = (*signed, *answering, *reverted, *volumes, *followed, *wrote, *(() if plan.routed else (NO_ROUTER,)))
    return UpResult(plan, tuple(outcomes), routes, notes, target.host)
