"""Carry out a plan: its operations in order, and services at the same time if none depends on another.

Nothing is decided here. The plan says what is done when an operation fails (`otherwise`).
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from threading import Event

from darkpeak import folders
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy import authority, login_page, networks, routing, stand_ins
from darkpeak.deploy.outcome import Failed, Outcome
from darkpeak.deploy.stack import Stack, StackFailed
from darkpeak.deploy.waiting import NotReady, Waiting, last_lines, remove
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine
from darkpeak.errors import DarkpeakError
from darkpeak.plan.operations import (
    BackUp,
    Build,
    Certify,
    ClearNetwork,
    DeployStack,
    Drain,
    GoBack,
    JoinNetwork,
    MakeClient,
    Operation,
    Remove,
    Represent,
    Route,
    Start,
    StartBeside,
    UseImages,
)
from darkpeak.plan.plan import Plan, ServicePlan
from darkpeak.progress import Progress
from darkpeak.router.routes import Changes

AT_ONCE = max(2, (os.cpu_count() or 2))
LAST_LINES = 12
PAUSE = 0.1  # seconds between two questions to the router


@dataclass(frozen=True)
class Executor:
    """Carries out plans on one engine, for one collective."""

    collective: Collective
    compose: Compose
    progress: Progress
    stopping: Event = field(default_factory=Event)  # set when the command is interrupted

    def carry_out(self, plan: Plan) -> list[Outcome]:
        """Carry out every service's operations; return the outcomes, sorted by service.

        All images are built at the same time, beginning with those that others wait for. If a service fails, those
        that depend on it are not touched.
        """
        changing = {item.service: item for item in plan.changes}
        order = TopologicalSorter({item.service: item.after for item in plan.services})
        order.prepare()
        outcomes: dict[str, Outcome] = {}
        running: dict[Future[Outcome], str] = {}
        with ThreadPoolExecutor(AT_ONCE) as builders, ThreadPoolExecutor(AT_ONCE) as pool, ExitStack() as stack:
            built = {name: builders.submit(self._build, changing[name]) for name in plan.order}
            stack.callback(self.stopping.set)
            while order.is_active():
                for name in order.get_ready():
                    failed = [other for other in plan.depends_on(name) if outcomes[other].failure]
                    if name in changing and not failed:
                        running[pool.submit(self._deploy, changing[name], built[name])] = name
                        continue
                    failure = f"not touched, because it depends on {', '.join(failed)}" * bool(failed)
                    outcomes[name] = Outcome(name, failure if name in changing else "")
                    order.done(name)
                finished, _ = wait(running, return_when=FIRST_COMPLETED) if running else ((), ())
                for future in finished:
                    name = running.pop(future)
                    outcomes[name] = future.result()
                    order.done(name)
        return [outcomes[name] for name in sorted(outcomes)]

    def _build(self, plan: ServicePlan) -> Outcome | None:
        """Build a service's images; return the outcome if that failed, else None."""
        work = self._work(plan)
        try:
            for operation in plan.operations:
                if isinstance(operation, Build):
                    work.build(operation)
        except (Failed, DarkpeakError) as error:
            return work.failed(error)
        return None

    def _deploy(self, plan: ServicePlan, built: "Future[Outcome | None]") -> Outcome:
        """Carry out the other operations after its images are built; return the outcome."""
        failure = built.result()
        if failure:
            return failure
        work = self._work(plan)
        try:
            for operation in plan.operations:
                if not isinstance(operation, Build):
                    work.carry_out(operation)
        except (Failed, DarkpeakError) as error:
            return work.failed(error)
        work.step("healthy")
        return Outcome(plan.service, routes=work.routes)

    def _work(self, plan: ServicePlan) -> "Work":
        service = next(item for item in self.collective.services if item.name == plan.service)
        return Work(self.collective, service, self.compose, self.progress, self.stopping)


@dataclass
class Work:
    """Carries out the operations of one service."""

    collective: Collective
    service: Service
    compose: Compose
    progress: Progress
    stopping: Event = field(default_factory=Event)
    routes: Changes = field(default_factory=Changes)

    @property
    def engine(self) -> Engine:
        """The engine on which the service runs."""
        return self.compose.engine

    def step(self, step: str) -> None:
        """Report that a step has begun."""
        self.progress.step(self.service.name, step)

    def failed(self, error: "Failed | DarkpeakError") -> Outcome:
        """Return the outcome of an operation that failed."""
        self.step("failed")
        return Outcome(self.service.name, error.message, getattr(error, "lines", ""), self.routes)

    def carry_out(self, operation: Operation) -> None:  # noqa: C901, PLR0912 (one case for each operation)
        """Carry out one operation; images were built before.

        Raises:
            Failed: when it failed; its `otherwise` was carried out.
            DarkpeakError: when the daemon failed.
        """
        match operation:
            case BackUp():
                self.back_up(operation)
            case UseImages(images):
                self.use_images(images)
            case MakeClient():
                self.step("making it a client of the login page")
                login_page.make_client(self.collective, self.engine, self.service)
            case Represent(stand_in):
                self.step(f"making {stand_in}")
                stand_ins.make(self.collective, self.engine, stand_in)
            case ClearNetwork(network):
                self.step(f"removing the network {network}")
                networks.clear(self.engine, operation)
            case JoinNetwork():
                networks.join(self.engine, operation)
            case Start():
                self.start(operation)
            case StartBeside():
                self.start_beside(operation)
            case DeployStack(back):
                self.deploy_stack(back)
            case Certify(container):
                self.step(f"signing the certificate of {container}")
                authority.certify(self.collective, self.engine, self.service, container)
            case Route():
                self.route(operation)
            case Drain():
                self.drain(operation)
            case Remove(container, ids, _, patient):
                self.step(f"removing the old {container}")
                for identity in ids:
                    remove(self.engine, identity, patient=patient)

    def drain(self, operation: Drain) -> None:
        """Wait for the last requests to the old instance."""
        end = time.monotonic() + operation.seconds
        while (left := end - time.monotonic()) > 0:
            if operation.early and not routing.is_busy(self.collective, self.engine, self.service):
                return
            time.sleep(min(left, PAUSE))

    def build(self, operation: Build) -> None:
        """Build the images of containers."""
        self.step("building")
        result = self.compose.build(self.service, operation.containers, self._on_line, fresh=operation.fresh)
        if result.code:
            raise Failed(f"was not built: {result.last_line()}", result.last_lines(LAST_LINES))
        self.step("built")

    def back_up(self, operation: BackUp) -> None:
        """Save the service's data with its own script."""
        self.step("backing up")
        above = folders.make_for_scripts(operation.folder.parent)
        folder = folders.find_real(above / operation.folder.name)
        result = self.compose.back_up(self.service, folder)
        if result.code:
            raise Failed(f"was not backed up, so nothing was changed: {result.last_line()}")

    def use_images(self, images: Sequence[tuple[str, str]]) -> None:
        """Tag these images with the names that compose uses."""
        names = {container.name: container.image for container in self.service.containers}
        for container, image in (item for item in images if item[0] in names):
            self.engine.tag(image, names[container])

    def start(self, operation: Start) -> None:
        """Start containers in the place of the old ones."""
        self.step("starting")
        names = operation.containers or tuple(item.name for item in self.service.containers)
        arguments = ("--force-recreate",) * operation.anew
        try:
            if operation.create:
                self._create(names, *arguments, *names)
                arguments = ("--no-recreate",)
            alone = ("--no-deps", *operation.containers, *operation.needs) if operation.containers else ()
            self._start(names, *arguments, *alone)
        except NotReady as error:
            raise self._not_ready("", error, operation.otherwise) from error

    def start_beside(self, operation: StartBeside) -> None:
        """Start a new instance beside those that serve now."""
        container = operation.container
        self.step(f"starting a new {container} beside the old one")
        beside = ("--no-recreate", "--scale", f"{container}={len(operation.beside) + 1}")
        try:
            if operation.needs:
                running = [item.container for item in self.engine.containers_of(self.service.project)]
                as_now = (f"--scale={name}={running.count(name) or 1}" for name in operation.needs)
                self._create((container,), *beside, *as_now, container)
            self._start((container,), *beside, "--no-deps", container, beside=operation.beside)
        except NotReady as error:
            raise self._not_ready(f"{container} ", error, operation.otherwise) from error

    def deploy_stack(self, back: GoBack) -> None:
        """Give the service to the swarm; if that fails, the images of before have their names again."""
        try:
            Stack(self.collective, self.service, self.engine, self.step, self.stopping).deploy()
        except StackFailed as error:
            self.use_images(back.images)
            raise Failed(error.message, error.lines) from error

    def route(self, operation: Route) -> None:
        """Change the router's routes to what runs now."""
        self.step("routing")
        leaving = tuple(identity for back in operation.otherwise for identity in back.keep)
        try:
            self.routes = routing.route(self.collective, self.engine, self.step, leaving, operation.names)
        except DarkpeakError as error:
            ended = "".join(f"; {self.go_back(back)}" for back in operation.otherwise)
            raise Failed(f"was not routed: {error.message}{ended}") from error
        broken = sorted(set(self.routes.reverted) & set(operation.names))
        if broken:
            ended = "".join(f"; {self.go_back(back)}" for back in operation.otherwise)
            raise Failed(f"was not routed: nothing answers at {self._ports(broken)}{ended}")
        silent = sorted(set(self.routes.silent) & set(operation.names))
        if silent:
            raise Failed(f"is healthy, but nothing answers at {self._ports(silent)}")

    def _ports(self, names: Sequence[str]) -> str:
        """Return the routes with the ports that their containers publish."""
        ports = {route.label: route.port for route in self.service.routes.named}
        declared = {number: port for port in self.service.ports for number in port.published}
        led = ((name, declared.get(ports.get(name, 0))) for name in names)
        return ", ".join(
            f"{name} (port {port.target[0]} of its container; {port.at})" if port else name for name, port in led
        )

    def go_back(self, back: GoBack) -> str:
        """Go back to the version before; return in words how that ended."""
        self.step("going back")
        self.use_images(back.images)
        containers = tuple(dict.fromkeys(back.containers))
        if back.restart:
            try:
                self._start(containers, "--no-deps", *containers)
            except NotReady:
                return "the version before did not start either"
            return "the version before runs again"
        for container in containers:
            for item in self.engine.observe().of(self.service.project, container):
                if item.id not in back.keep:
                    remove(self.engine, item.id, patient=False)
        return "the version before never stopped"

    def _create(self, names: Sequence[str], *arguments: str) -> None:
        """Have compose create containers that need others, and start none."""
        # `up --no-deps` would create them without their `depends_on`: then compose before 2.30 sees a change in them.
        self._waiting().started(partial(self.compose.create, self.service, self._on_line), names, arguments)

    def _start(self, names: Sequence[str], *arguments: str, beside: Sequence[str] = ()) -> None:
        """Have compose start containers, and wait until they are ready.

        Raises:
            NotReady: when they do not become ready.
        """
        self._waiting().started(partial(self.compose.start, self.service, self._on_line), names, arguments)
        self._waiting().until_ready(names, beside)

    def _waiting(self) -> Waiting:
        return Waiting(
            self.engine,
            self.service.project,
            awaited=frozenset(item.name for item in self.service.containers if item.awaited),
            ending=frozenset(item.name for item in self.service.containers if item.ends),
            stopping=self.stopping,
        )

    def _not_ready(self, what: str, error: NotReady, back: GoBack | None) -> Failed:
        lines = "\n".join(last_lines(self.engine, item, LAST_LINES) for item in error.containers)
        ended = f"; {self.go_back(back)}" if back else ""
        return Failed(f"{what}did not become healthy: {error.message}{ended}", lines)

    def _on_line(self, line: str) -> None:
        self.progress.line(self.service.name, line)
