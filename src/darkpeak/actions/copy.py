"""Restore a snapshot into a project beside the live service (`restore --as`)."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass

from darkpeak.actions.restore import RESTORED, fetch, find_snapshots, put
from darkpeak.actions.scratch import images_of, make_project, remove, start
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.errors import CheckFailed, SystemFailure, UsageError
from darkpeak.helper.scripts import ComposeProject
from darkpeak.vocabulary import COPY_LABEL

PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Copied:
    """A copy of a service that runs as its own project until somebody removes it."""

    service: str
    snapshot: str
    project: str
    verified: str  # what scripts/verify printed
    seconds: float
    notes: tuple[str, ...] = ()


def restore_as(session: Session, service: Service, snapshot: str | None, name: str) -> Copied:
    """Restore a snapshot into a project with this name, beside the live service, and leave it running.

    Raises:
        UsageError: when the name is not valid, or in use.
        CheckFailed: when the restored copy does not pass its checks; the copy is removed then.
    """
    if not PROJECT.fullmatch(name):
        raise UsageError(f"{name!r} is not a valid name for a project", hint="use lower-case letters, digits, - and _")
    if session.engine.observe().of(name):
        raise UsageError(f"the project {name} already exists", hint="choose another name")
    started = time.monotonic()
    manifest = fetch(session, find_snapshots(session, service.name, snapshot), RESTORED)
    images, notes = images_of(session, service, manifest)
    project = make_project(session, service, images, name, COPY_LABEL)
    try:
        verified = _fill(session, project, f"{RESTORED}/parts")
    except BaseException:  # Ctrl-C as well
        with suppress(SystemFailure):
            remove(project)
        raise
    took = round(time.monotonic() - started, 1)
    return Copied(service.name, manifest.name, name, verified, took, notes)


def _fill(session: Session, project: ComposeProject, parts: str) -> str:
    start(session, project)
    session.progress.step(project.service.name, "restoring into the copy")
    verified, failure = put(session.scripts, project, parts)
    if failure:
        raise CheckFailed(f"{project.service.name} was not restored as {project.name}: {failure}")
    return verified
