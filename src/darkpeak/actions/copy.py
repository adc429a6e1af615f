"""A service's containers once more, beside the live ones and cut off: for a drill, or to be looked at."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from darkpeak.actions.restore import RESTORED, fetch, find_snapshots, put
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.engine.engine import Result, run
from darkpeak.errors import CheckFailed, SystemFailure, UsageError
from darkpeak.helper.helper import Stage
from darkpeak.plan.scratch import LABEL, free_subnets, make_scratch
from darkpeak.repository import snapshots

HEALTHY_SECONDS = "180"
COPY_LABEL = "darkpeak.copy"  # of what stays until somebody removes it
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Copied:
    """A copy of a service that runs under a name of its own."""

    service: str
    snapshot_name: str
    project: str
    verified: str  # what scripts/verify said
    seconds: float
    notes: tuple[str, ...] = ()


def restore_as(session: Session, service: Service, name: str | None, project: str) -> Copied:
    """Restore a set into a project beside the live one, and leave it there to be looked at.

    Raises:
        UsageError: when the name is none, or somebody's.
        CheckFailed: when what was restored is not right; then there is no copy either.
    """
    if not PROJECT.fullmatch(project):
        raise UsageError(f"{project!r} is no project's name", hint="lower-case letters, digits, - and _")
    if session.engine.observe().of(project):
        raise UsageError(f"there is a project {project} already", hint="name another one")
    started = time.monotonic()
    manifest = fetch(session, service, find_snapshots(session, service, name), RESTORED)
    images, notes = images_of(session, service, manifest)
    stage = make_stage(session, service, images, project, COPY_LABEL)
    try:
        verified = _fill(session, stage, f"{RESTORED}/parts")
    except BaseException:  # Ctrl-C as well
        with suppress(SystemFailure):
            remove(stage)
        raise
    took = round(time.monotonic() - started, 1)
    return Copied(service.name, manifest.name, project, verified, took, notes)


def _fill(session: Session, stage: Stage, parts: str) -> str:
    start(session, stage)
    session.progress.step(stage.service.name, "restoring into it")
    verified, failure = put(session.helper, stage, parts)
    if failure:
        raise CheckFailed(f"{stage.service.name} was not restored as {stage.project}: {failure}")
    return verified


def start(session: Session, stage: Stage) -> None:
    """Bring the project up.

    Raises:
        CheckFailed: when it does not become healthy.
    """
    session.progress.step(stage.service.name, "starting beside the live one")
    up = stage.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", HEALTHY_SECONDS)
    if up.code:
        raise CheckFailed(f"the scratch project does not become healthy: {up.complaint()}")


@contextmanager
def scratch(session: Session, service: Service, images: Mapping[str, str]) -> Iterator[Stage]:
    """Have a scratch project of a service, and remove all of it afterwards; one that was left over goes first."""
    stage = make_stage(session, service, images, f"{service.project}-drill", LABEL)
    remove(stage)
    try:
        yield stage
    except BaseException:  # Ctrl-C as well
        with suppress(SystemFailure):  # what is left over, the next session removes
            remove(stage)
        raise
    remove(stage)


def make_stage(session: Session, service: Service, images: Mapping[str, str], project: str, label: str) -> Stage:
    """Return a project beside the live one; nothing of it is there yet."""
    compose = session.place.compose
    asked = compose.call(service, "config", "--format", "json")
    if asked.code:
        raise SystemFailure(f"compose cannot read {service.name}: {asked.complaint()}")
    subnets = free_subnets(_used(session))
    file = json.dumps(make_scratch(json.loads(asked.stdout), project, images, subnets, label=label)).encode()
    argv = ("docker", "compose", "--ansi", "never", "--project-directory", str(service.folder))

    def call(*arguments: str) -> Result:
        return run((*argv, "--project-name", project, "--file", "-", *arguments), compose.environment, file)

    return Stage(service, project, call)


def remove(stage: Stage) -> None:
    """Remove all of a project."""
    gone = stage.compose("down", "--volumes", "--remove-orphans", "--timeout", "1")
    if gone.code:
        hint = f"docker compose --project-name {stage.project} down --volumes"
        raise SystemFailure(f"{stage.project} was not removed: {gone.complaint()}", hint=hint)


def images_of(
    session: Session, service: Service, manifest: snapshots.Manifest
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the images to run: those that the set was made with, or today's where such a one is gone."""
    today = {item.container: item.image for item in session.engine.observe().of(service.project)}
    images, notes = {}, []
    for container in service.containers:
        then = manifest.images.get(container.name, "")
        if then and not session.engine.docker("image", "inspect", then).code:
            images[container.name] = then
        elif container.name in today:
            images[container.name] = today[container.name]
            notes.append(f"the image of {container.name} that the set was made with is gone: today's was used")
        else:
            raise SystemFailure(f"there is no image of {container.name} here", hint=f"darkpeak up {service.name}")
    return images, tuple(notes)


def _used(session: Session) -> Iterator[str]:
    for network in session.engine.client.api.networks():
        for pool in (network.get("IPAM") or {}).get("Config") or ():
            if pool.get("Subnet"):
                yield pool["Subnet"]
