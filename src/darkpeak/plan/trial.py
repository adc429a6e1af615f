"""A trial (`darkpeak test`): its steps, and what they decide. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkpeak.collective.model import Collective, Service

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
TRIAL_LABEL = "darkpeak.trial"  # of images: the number of the build
KILLED = 137  # a container's exit code after SIGKILL

# Each step, and the steps without which it makes no sense.
STEPS: Mapping[str, tuple[str, ...]] = {
    "lint": (),
    "build": (),
    "start": ("build",),
    "healthy": ("start",),
    "answer": ("healthy",),
    "updates": ("healthy",),
    "write": ("healthy",),
    "back up": ("healthy",),
    "destroy": ("back up",),
    "verify empty": ("destroy",),
    "restore": ("destroy",),
    "verify": ("restore",),
    "upgrade": ("restore",),
    "stop": ("start",),
    "clean up": (),
}


@dataclass(frozen=True)
class Step:
    """One step of a trial, and how it ended."""

    step: str
    result: str  # ok, failed or skipped
    seconds: float
    message: str = ""
    log: tuple[str, ...] = ()  # the last lines of the containers, or of the script, that failed


@dataclass(frozen=True)
class Trial:
    """How a service's trial went."""

    service: str
    steps: tuple[Step, ...]

    @property
    def failures(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.result == FAILED)


class Skipped(Exception):
    """A step has nothing to do; the message says why."""


class Failed(Exception):
    """A step failed: why, and the last lines of what failed."""

    def __init__(self, message: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log = log


def missing_step(name: str, done: Mapping[str, str]) -> str:
    """Return the first step that a step needs and that did not end well; empty if there is none."""
    return next((needed for needed in STEPS[name] if done.get(needed) != OK), "")


def images_of(service: Service, project: str) -> dict[str, str]:
    """Return the names of the images that a trial builds, by container."""
    return {container.name: f"{project}-{container.name}" for container in service.containers if container.build}


def make_build(written: Mapping[str, Any], project: str, images: Mapping[str, str], number: int) -> dict[str, Any]:
    """Return the compose file that builds a trial's images, under names of their own.

    Each build has another number as a label, so that the second one makes other images of the same files.
    """
    services = {}
    for name, image in images.items():
        build = dict(written["services"][name]["build"])
        labels = build.get("labels") or {}
        services[name] = {"image": image, "build": {**build, "labels": {**labels, TRIAL_LABEL: str(number)}}}
    kept = {key: written[key] for key in ("secrets",) if key in written}
    return {"name": project, "services": services, **kept}


@dataclass(frozen=True)
class Question:
    """A route that must answer: in which container, at which of its ports, and for http with which host name."""

    route: str
    container: str
    port: int
    host: str = ""


def make_questions(collective: Collective, service: Service) -> list[Question]:
    """Return a question for each route of a service that leads to a published port of it."""
    routes = service.routes
    wanted = [(item.host(collective.domain), item.port, item.host(collective.domain)) for item in routes.http]
    wanted += [(f"tls {item.host(collective.domain)}", item.port, "") for item in routes.tls]
    wanted += [(f"port {item.public}", item.port, "") for item in routes.tcp]
    wanted += [(name, port, "") for name, port in (("ssh", routes.ssh), ("plain-ssh", routes.plain_ssh)) if port]
    return [
        Question(name, container, inside, host)
        for name, port, host in wanted
        for container, inside in _published(service, port)
    ]


def _published(service: Service, wanted: int) -> Iterator[tuple[str, int]]:
    """Yield the container and its own port behind a published port."""
    for container in service.containers:
        for port in container.ports:
            if wanted in port.published:
                same = len(port.target) == len(port.published)
                yield container.name, port.target[port.published.index(wanted)] if same else port.target[0]


def compare_empty(before: str, empty: str, *, wrote: bool) -> str:
    """Return what is said of scripts/verify, which passed on an empty service too.

    Raises:
        Failed: when it printed the same as on the service with content.
        Skipped: when the same is right, since nothing was written.
    """
    if before != empty:
        return f"on an empty service, scripts/verify printed: {empty}"
    if wrote:
        raise Failed(f"scripts/verify printed the same on an empty service: {empty}")
    raise Skipped("nothing was written, so this cannot show whether scripts/verify notices lost content")


def judge_stop(codes: Mapping[str, int], allowed: Mapping[str, float]) -> str:
    """Return what is said of containers that were stopped, by their exit codes.

    Raises:
        Failed: when one had to be killed.
    """
    killed = [f"{name} did not end within {allowed[name]:.0f} s" for name in sorted(codes) if codes[name] == KILLED]
    if killed:
        raise Failed(f"{', '.join(killed)} of the signal to stop, and was killed")
    return ""
