"""Carry out a plan: services in the order of what they rely on, several at once where they don't."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Protocol

from darkpeak.collective.model import Service
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine, Result
from darkpeak.errors import DarkpeakError
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.plan import BESIDE, BUILT, Action, Plan, ServicePlan, newest_ready

AT_ONCE = max(2, (os.cpu_count() or 2))
LAST_LINES = 12
STOP_SECONDS = 30


class Progress(Protocol):
    """Whoever wants to know how far it is."""

    def step(self, name: str, step: str) -> None:
        """Be told that a service has come to a step."""

    def line(self, name: str, line: str) -> None:
        """Be told what a tool prints."""


@dataclass(frozen=True)
class Outcome:
    """How one service's deployment ended; `failure` is empty when it is well."""

    service: str
    failure: str = ""
    lines: str = ""


@dataclass(frozen=True)
class Job:
    """One service, what is planned for it, and what was there before."""

    service: Service
    plan: ServicePlan
    before: Observed
    compose: Compose
    progress: Progress
    build: bool = True
    backup_to: Path | None = None  # where its data is saved before anything of it is touched

    @property
    def engine(self) -> Engine:
        """The engine that it runs on."""
        return self.compose.engine

    def running(self, container: str, observed: Observed | None = None) -> tuple[Running, ...]:
        """Return a container's instances, as they were before or are in another snapshot."""
        return (observed or self.before).of(self.service.project, container)

    def step(self, step: str) -> None:
        """Say how far it is."""
        self.progress.step(self.service.name, step)

    def said(self, line: str) -> None:
        """Hand on a tool's line."""
        self.progress.line(self.service.name, line)


def run_jobs(plan: Plan, jobs: dict[str, Job]) -> list[Outcome]:
    """Deploy every service that has a job: all are built at once, and started in order.

    One that fails holds back those that rely on it.
    """
    order = TopologicalSorter({item.service: item.after for item in plan.services})
    order.prepare()
    after = {item.service: item.after for item in plan.services}
    outcomes: dict[str, Outcome] = {}
    under_way: dict[Future[Outcome], str] = {}
    with ThreadPoolExecutor(AT_ONCE) as builders, ThreadPoolExecutor(AT_ONCE) as pool:
        built = {name: builders.submit(_build, jobs[name]) for name in _in_order(after, jobs)}
        while order.is_active():
            for name in order.get_ready():
                failed = [other for other in after[name] if outcomes[other].failure]
                if name in jobs and not failed:
                    under_way[pool.submit(_deploy, jobs[name], built[name])] = name
                    continue
                words = f"not touched: it relies on {', '.join(failed)}" if failed and name in jobs else ""
                outcomes[name] = Outcome(name, words)
                order.done(name)
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED) if under_way else ((), ())
            for future in finished:
                name = under_way.pop(future)
                outcomes[name] = future.result()
                order.done(name)
    return [outcomes[name] for name in sorted(outcomes)]


def _in_order(after: Mapping[str, tuple[str, ...]], jobs: Mapping[str, Job]) -> list[str]:
    """Return the jobs' names, those first on which others wait."""
    return [name for name in TopologicalSorter(after).static_order() if name in jobs]


def _build(job: Job) -> Outcome | None:
    """Build the images of a service that change, but for those that were sent; return how that failed, if it did."""
    wanted = {item.name: item for item in job.service.containers}
    changing = tuple(name for name in job.plan.containers(*BUILT) if not job.engine.has_image(wanted[name]))
    if not changing or not job.build:
        return None
    job.step("building")
    try:
        result = job.compose.build(job.service, changing, job.said)
    except DarkpeakError as error:
        return _failed(job, error.message)
    job.step("built")
    return _failed(job, f"was not built: {_last(result)}", _tail(result)) if result.code else None


def _deploy(job: Job, built: Future[Outcome | None]) -> Outcome:
    """Start what was built: new ones beside the old where that can be, the others in their place."""
    failed = built.result()
    if failed:
        return failed
    try:
        failed = _back_up(job) or _start_in_place(job) or _start_beside(job)
    except DarkpeakError as error:
        return _failed(job, error.message)
    if failed:
        return failed
    job.step("healthy")
    return Outcome(job.service.name)


def _back_up(job: Job) -> Outcome | None:
    """Save the data of a service that has any, by its own script, where that was asked for."""
    if not job.backup_to or not job.service.owns_data or not job.before.of(job.service.project):
        return None
    job.step("backing up")
    result = job.compose.script_kept(job.service, "backup", str(job.backup_to / job.service.name))
    return _failed(job, f"was not backed up, so not touched: {_last(result)}") if result.code else None


def _start_in_place(job: Job) -> Outcome | None:
    """Start what is not replaced side by side; if a new version does not become well, the old one comes back."""
    beside = job.plan.containers(*BESIDE)
    named = tuple(step.container for step in job.plan.steps if step.action not in (*BESIDE, Action.REMOVE))
    if not named or not any(step.container not in beside for step in job.plan.changes):
        return None
    job.step("starting")
    scope = ("--no-deps", *named) if beside else ("--remove-orphans",)
    force = ("--force-recreate",) if job.plan.containers(Action.RECREATE) else ()
    result = job.compose.start(job.service, job.said, *force, *scope)
    if not result.code:
        return None
    lines = _logs(job, [item for item in job.engine.observe().of(job.service.project) if not item.ready])
    updated = [item for name in job.plan.containers(Action.UPDATE) for item in job.running(name)]
    words = f"did not become healthy: {_last(result)}"
    if not updated:
        return _failed(job, words, lines)
    job.step("going back")
    _give_back_names(job, updated)
    back = job.compose.start(job.service, job.said, "--no-deps", *{item.container for item in updated})
    ended = "the version before could not be started either" if back.code else "the version before runs again"
    return _failed(job, f"{words}; {ended}", lines)


def _start_beside(job: Job) -> Outcome | None:
    """Start the new instance of each replaced container beside the old; take it away again if it is not well."""
    for container in job.plan.containers(Action.REPLACE):
        job.step(f"starting {container} beside the old one")
        kept = [item for item in job.running(container) if item.ready]
        for item in job.running(container):
            if not item.ready:
                remove(job.engine, item)
        scale = ("--no-deps", "--no-recreate", "--scale", f"{container}={len(kept) + 1}", container)
        result = job.compose.start(job.service, job.said, *scale)
        new = [item for item in job.running(container, job.engine.observe()) if item.id not in {old.id for old in kept}]
        if result.code or not any(item.ready for item in new):
            lines = _logs(job, new)
            for item in new:
                remove(job.engine, item)
            _give_back_names(job, kept)
            words = f"{container} did not become healthy: {_last(result)}"
            return _failed(job, f"{words}; the version before never stopped", lines)
    return None


def tidy(job: Job, observed: Observed) -> None:
    """Remove all instances of a replaced container but the one that the router leads to now."""
    for container in job.service.containers:
        if container.name not in job.plan.containers(*BESIDE):
            continue
        running = job.running(container.name, observed)
        stays = newest_ready(running)
        for item in running:
            if stays and item.id != stays.id:
                remove(job.engine, item, patient=True)


def withdraw(job: Job, observed: Observed) -> None:
    """Remove the new instances of a replaced container, to which the router could not be led."""
    for container in job.plan.containers(Action.REPLACE):
        old = {item.id for item in job.running(container)}
        for item in job.running(container, observed):
            if item.id not in old:
                remove(job.engine, item)
        _give_back_names(job, job.running(container))


def remove(engine: Engine, item: Running, *, patient: bool = False) -> None:
    """Remove a container with its anonymous volumes; a patient end lets it finish the requests it has."""
    if patient:
        engine.docker("stop", "--time", str(STOP_SECONDS), item.id)
    engine.docker("rm", "--force", "--volumes", item.id)


def _give_back_names(job: Job, containers: Sequence[Running]) -> None:
    """Let the images' names mean what ran before, so that plain compose, too, starts that."""
    names = {container.name: container.image for container in job.service.containers}
    for item in containers:
        job.engine.docker("tag", item.image, names[item.container])


def _failed(job: Job, words: str, lines: str = "") -> Outcome:
    job.step("failed")
    return Outcome(job.service.name, words, lines)


def _logs(job: Job, containers: list[Running]) -> str:
    """Return the last lines of each of some containers."""
    shown = ((item.name, job.engine.docker("logs", "--tail", str(LAST_LINES), item.id)) for item in containers)
    return "\n".join(
        f"{name}:\n{(said.stdout + said.stderr).decode(errors='replace').rstrip()}" for name, said in shown
    )


_last = partial(Result.complaint, most=1)
_tail = partial(Result.tail, most=LAST_LINES)
