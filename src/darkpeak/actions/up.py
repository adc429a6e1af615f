"""Bring services to what their files say: plan, base image, locks, deploy, certificates, routes, history."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from darkpeak.collective import count
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.executor import Job, Outcome, Progress, run_jobs, tidy, withdraw
from darkpeak.engine import base, lock
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import deploys as history
from darkpeak.plan.observed import Observed, find_container
from darkpeak.plan.plan import BESIDE, Plan, make_plan, make_rollback
from darkpeak.plan.routes import make_table
from darkpeak.router.control import Router
from darkpeak.router.routes import Changes

ROUTER = "router"
ROUTES_LOCK = "_routes"
DRAIN_SECONDS = 1.0  # for requests that chose the old port just before the routes changed
HINT = "darkpeak up router"
NO_ROUTER = "no router runs, so nothing is routed: darkpeak up router"


@dataclass(frozen=True)
class UpResult:
    """What `up` did."""

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    routes: Changes | None = None
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the result in words, a line a service that changed."""
        failed = {item.service: item.failure for item in self.outcomes if item.failure}
        lines = [
            f"{item.service}: {failed.get(item.service) or 'up'}"
            f" ({'; '.join(f'{step.container} {step.action.done}: {step.cause}' for step in item.changes)})"
            for item in self.plan.changes
        ]
        if not lines:
            lines = [f"nothing to do: {count(len(self.plan.services), 'service')} already as the files say"]
        routed = [f"routes: {self.routes}"] if self.routes else []
        return [*lines, *routed, *self.notes]


def with_dependencies(collective: Collective, services: Sequence[Service]) -> frozenset[str]:
    """Return the names of services and of everything that they rely on; the router is relied on by all."""
    known = {service.name: service for service in collective.services}
    wanted: set[str] = set()
    waiting = [service.name for service in services] + [ROUTER] * (ROUTER in known)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += collective.depends_on(known[name])
    return frozenset(wanted)


def find_router(collective: Collective, compose: Compose, observed: Observed) -> Router | None:
    """Return the router that runs on this engine, if one does."""
    running = find_container(collective, observed, ROUTER, "haproxy")
    return Router(compose.engine.container(running)) if running else None


def renew(collective: Collective, engine: Engine, observed: Observed, name: str) -> None:
    """Have the router ask its CA for one certificate now.

    Raises:
        SystemFailure: when it got none; the one of before is still served.
    """
    running = find_container(collective, observed, ROUTER, "certificates")
    if running is None:
        raise SystemFailure(f"nothing there gets certificates: the router on {engine.name} does not run", hint=HINT)
    asked = engine.exec_in(running.id, ("renew", name))
    if asked.code:
        raise SystemFailure(asked.complaint() or f"{name} was not renewed", hint="darkpeak certificates lists them all")


@dataclass(frozen=True)
class Deployer:
    """Who deploys: one collective's services, on one engine, telling somebody how far it is."""

    collective: Collective
    compose: Compose
    progress: Progress
    backup_to: Path | None = None

    @property
    def engine(self) -> Engine:
        """The engine that is deployed to."""
        return self.compose.engine

    def bring_up(self, names: frozenset[str]) -> UpResult:
        """Bring the named services to what their files say, and route them.

        Raises:
            SystemFailure: when the daemon or the router fails; the services' own failures are outcomes.
        """
        observed = self.engine.observe()
        plan = make_plan(self.collective, observed, names)
        if not plan.changes:
            router = find_router(self.collective, self.compose, observed)
            return UpResult(plan, routes=self._settle({}, router)[0], notes=() if router else (NO_ROUTER,))
        services = {service.name: service for service in self.collective.services}
        self._have_bases([services[item.service] for item in plan.changes])
        changing = sorted(item.service for item in plan.changes)
        with ExitStack() as held:
            mine = self._locked(held, changing)
            # What was planned before the locks were ours may have been done by whoever held them.
            before = self.engine.observe()
            plan = make_plan(self.collective, before, names)
            planned = {item.service: item for item in plan.changes if item.service in changing}
            jobs = {
                name: Job(services[name], item, before, mine.compose, self.progress, backup_to=self.backup_to)
                for name, item in planned.items()
            }
            return self._carry_out(plan, jobs, "up")

    def roll_back(self, service: Service, number: int | None) -> tuple[UpResult, history.Deploy]:
        """Go back to the images of an earlier deploy: the last different one, or the one with that number.

        Raises:
            UsageError: when there is none.
            SystemFailure: when its images are gone, or the daemon fails.
        """
        self._have_bases([])
        with ExitStack() as held:
            mine = self._locked(held, [service.name])
            target = history.go_back(self.engine, service, number)
            before = self.engine.observe()
            plan = Plan((make_rollback(service, before),))
            jobs = {
                item.service: Job(service, item, before, mine.compose, self.progress, build=False)
                for item in plan.changes
            }
            return self._carry_out(plan, jobs, f"rollback to {target.number}"), target

    def take_down(self, services: Sequence[Service], *, volumes: bool) -> tuple[str, ...]:
        """Remove services' containers and networks (and volumes), those relied on last, then their routes.

        Raises:
            UsageError: when a service that stays relies on one of them.
        """
        before = self.engine.observe()
        names = {service.name for service in services}
        for service in self.collective.services:
            needed = sorted(names & set(self.collective.depends_on(service)))
            if needed and service.name not in names and before.of(service.project):
                hint = f"take it down as well: add {service.name}"
                raise UsageError(f"{service.name} relies on {needed[0]}", hint=hint)
        present = [service for service in services if volumes or before.of(service.project)]
        present.sort(key=lambda item: (-len(with_dependencies(self.collective, [item])), item.name))
        if not present:
            return ()
        self._have_bases([])
        with ExitStack() as held:
            compose = self._locked(held, sorted(service.name for service in present)).compose
            for service in present:
                self.progress.step(service.name, "removing")
                result = compose.call(service, "down", "--remove-orphans", *(["--volumes"] if volumes else []))
                if result.code:
                    raise SystemFailure(f"{service.name} was not removed: {result.complaint()}", hint="run it again")
            self._settle({}, find_router(self.collective, compose, self.engine.observe()))
        return tuple(service.name for service in present)

    def _have_bases(self, services: Sequence[Service]) -> None:
        """Have the images that services start from, and the one that locks and records are made of."""
        for suite in sorted({*base.suites_of(services), lock.IMAGE.partition(":")[2]}):
            base.ensure(self.engine, suite, partial(self.progress.step, "base"))

    def _locked(self, held: ExitStack, names: Sequence[str]) -> Self:
        """Lock services, always in one order, so that no two wait for each other."""
        locks = [held.enter_context(lock.hold(self.engine, name, partial(self.progress.step, name))) for name in names]
        return replace(self, compose=self.compose.holding(*locks))

    def _carry_out(self, plan: Plan, jobs: Mapping[str, Job], what: str) -> UpResult:
        """Deploy, settle the routes, and write history."""
        outcomes = run_jobs(plan, dict(jobs))
        good = {item.service: jobs[item.service] for item in outcomes if item.service in jobs and not item.failure}
        router = find_router(self.collective, self.compose, self.engine.observe())
        changes, unrouted = self._settle(good, router)
        outcomes = [replace(item, failure=unrouted) if item.service in good else item for item in outcomes]
        for item in outcomes:
            if item.service in jobs:
                service = jobs[item.service].service
                history.record(self.engine, service, what, item.failure or "up", self.collective.keep_deploys)
        return UpResult(plan, tuple(outcomes), changes, () if router else (NO_ROUTER,))

    def _settle(self, good: Mapping[str, Job], router: Router | None) -> tuple[Changes | None, str]:
        """Lead the router to what runs now, then remove what it no longer leads to; return what failed, if anything."""
        beside = [job for job in good.values() if job.plan.containers(*BESIDE)]
        certified = [job.service for job in good.values() if job.service.certificate]
        table = make_table(self.collective, self.engine.observe())
        if not beside and not (router and (certified or router.drift(table))):
            return None, ""
        changes, failure = None, ""
        with lock.hold(self.engine, ROUTES_LOCK, partial(self.progress.step, "routes")):
            observed = self.engine.observe()
            try:
                changes = self._route(router, certified, observed) if router else None
            except SystemFailure as error:
                if not good:
                    raise
                failure = f"was not routed: {error.message}"
            for job in beside if failure else ():
                withdraw(job, observed)
        if beside and not failure:
            time.sleep(DRAIN_SECONDS)
            for job in beside:
                job.step("removing the old one")
                tidy(job, observed)
        return changes, failure

    def _route(self, router: Router, certified: Sequence[Service], observed: Observed) -> Changes:
        for service in certified:
            self._certify(service, router, observed)
        return router.apply(make_table(self.collective, observed))

    def _certify(self, service: Service, router: Router, observed: Observed) -> None:
        """Have the collective's CA sign the certificate that a service keeps for itself."""
        domain = self.collective.domain
        hosts = {route.host(domain) for route in (*service.http, *service.tls)}
        names = (domain, *sorted(host for host in hosts if host.endswith(f".{domain}")))
        for item in observed.of(service.project, service.certificate):
            if not item.ready:
                continue
            asked = self.engine.exec_in(item.id, ("certificate", "request"))
            if asked.code:
                raise SystemFailure(f"{service.name} asked for no certificate: {asked.complaint()}", where=item.name)
            signed = router.sign(asked.stdout, names)
            installed = self.engine.exec_in(item.id, ("certificate", "install"), signed)
            if installed.code:
                words = f"{service.name} did not take its certificate: {installed.complaint()}"
                raise SystemFailure(words, where=item.name)
