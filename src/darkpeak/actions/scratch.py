"""A scratch project: a second set of a service's containers, beside the live ones and not connected to them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from darkpeak import process
from darkpeak.actions.ready import START, ending_of, make_start
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.deploy.waiting import NotReady, Waiting
from darkpeak.errors import CheckFailed, SystemFailure
from darkpeak.helper.scripts import ComposeProject
from darkpeak.plan.scratch import free_subnets, make_scratch
from darkpeak.repository.snapshots import Manifest
from darkpeak.result import Result
from darkpeak.vocabulary import DRILL_LABEL


@contextmanager
def scratch(session: Session, service: Service, images: Mapping[str, str]) -> Iterator[ComposeProject]:
    """Yield a scratch project of a service, and remove it afterwards; one that was left over is removed first."""
    project = make_project(session, service, images, f"{service.project}-drill", DRILL_LABEL)
    remove(project)
    try:
        yield project
    except BaseException:  # Ctrl-C as well
        with suppress(SystemFailure):  # the next session removes what is left over
            remove(project)
        raise
    remove(project)


def make_project(
    session: Session, service: Service, images: Mapping[str, str], name: str, label: str
) -> ComposeProject:
    """Return a project beside the live one; it is not started.

    Raises:
        SystemFailure: when compose cannot read the service's files, or when no subnet is free.
    """
    target = session.target
    return project_of(target, service, name, make_file(target, read_written(target, service), images, name, label))


def read_written(target: Target, service: Service) -> dict[str, Any]:
    """Return a service's compose files as compose understands them.

    Raises:
        SystemFailure: when compose cannot read them.
    """
    printed = target.compose.call(service, "config", "--format", "json")
    if printed.code:
        raise SystemFailure(f"compose cannot read {service.name}: {printed.last_line()}")
    written: dict[str, Any] = json.loads(printed.stdout)
    return written


def make_file(target: Target, written: Mapping[str, Any], images: Mapping[str, str], name: str, label: str) -> bytes:
    """Return the compose file of a scratch project, with subnets that are free on the engine now.

    Raises:
        SystemFailure: when no subnet is free.
    """
    return json.dumps(make_scratch(written, name, images, free_subnets(target.engine.subnets()), label=label)).encode()


def project_of(target: Target, service: Service, name: str, file: bytes) -> ComposeProject:
    """Return a project with this compose file."""
    argv = ("docker", "compose", "--ansi", "never", "--project-directory", str(service.folder))

    def call(*arguments: str) -> Result:
        words = (*argv, "--project-name", name, "--file", "-", *arguments)
        return process.run(words, environment=target.compose.environment, stdin=file, seconds=process.LONG_SECONDS)

    return ComposeProject(service, name, call)


def start(session: Session, project: ComposeProject) -> None:
    """Start the project, and wait until it is healthy.

    Raises:
        CheckFailed: when it does not become healthy, or when a container that is meant to end fails.
    """
    session.progress.step(project.service.name, "starting a copy beside the live service")
    once = ending_of(project.service)
    up = project.compose(*START, *once) if once else None
    if up is None or not up.code:
        up = project.compose(*make_start(project.service))
    if up.code:
        raise CheckFailed(f"the copy did not become healthy: {up.last_line()}")
    if once:
        _wait_for_end(session, project, frozenset(once))


def _wait_for_end(session: Session, project: ComposeProject, once: frozenset[str]) -> None:
    try:
        Waiting(session.engine, project.name, awaited=once, ending=once).until_ready(once)
    except NotReady as error:
        raise CheckFailed(f"the copy did not become healthy: {error.message}") from error


def remove(project: ComposeProject) -> None:
    """Remove a project with all its data.

    Raises:
        SystemFailure: when compose fails.
    """
    gone = project.compose("down", "--volumes", "--remove-orphans", "--timeout", "1")
    if gone.code:
        hint = f"remove it: docker compose --project-name {project.name} down --volumes"
        raise SystemFailure(f"{project.name} was not removed: {gone.last_line()}", hint=hint)


def images_of(session: Session, service: Service, manifest: Manifest) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the images to run, by container, and notes: those of the snapshot, or today's if they are gone.

    Raises:
        SystemFailure: when an image is missing and there is no other.
    """
    today = {item.container: item.image for item in session.engine.observe().of(service.project)}
    images, notes = {}, []
    for container in service.containers:
        then = manifest.images.get(container.name, "")
        if then and session.engine.has_image(then):
            images[container.name] = then
        elif container.name in today:
            images[container.name] = today[container.name]
            notes.append(f"the snapshot's image of {container.name} is gone; the present one was used")
        else:
            hint = f"build it: darkpeak up {service.name}"
            raise SystemFailure(f"there is no image of {container.name}", hint=hint)
    return images, tuple(notes)
