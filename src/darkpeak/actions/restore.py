"""Restore a service from a snapshot, which is verified first; the state before is restored if that fails."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkpeak.actions.backup import back_up, folder_of
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.collective.scripts import BadScript, in_helper, startable
from darkpeak.engine import lock
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.drills import RestoreRecord
from darkpeak.evidence.record import now
from darkpeak.helper.container import WORK
from darkpeak.helper.scripts import ComposeProject, Scripts
from darkpeak.repository import snapshots
from darkpeak.repository.snapshots import BEFORE, Manifest, Snapshot
from darkpeak.vocabulary import HEALTHY_SECONDS

# Folders in the helper for one snapshot; the next one replaces it.
RESTORED, REPLACED = f"{WORK}/.restored", f"{WORK}/.before"


@dataclass(frozen=True)
class Restored:
    """How a restore went."""

    service: str
    snapshot: str
    repository: str
    kept: str  # the snapshot of the state before; empty if there is none
    verified: str  # what scripts/verify printed; empty if the service has none
    seconds: float


def find_snapshots(session: Session, service: Service, name: str | None) -> list[Snapshot]:
    """Return a snapshot of a service (without a name, the newest), once for each repository that has it.

    Raises:
        CheckFailed: when there is no such snapshot.
    """
    return snapshots.choose(session.snapshots(service.name), service.name, session.host, name)


def fetch(session: Session, service: Service, wanted: list[Snapshot], target: str) -> Manifest:
    """Fetch a snapshot into the helper, from the first repository that has it undamaged; return its manifest.

    Raises:
        CheckFailed: when no repository has it undamaged; the message says what is wrong in each.
    """
    wrong = []
    for known in wanted:
        session.progress.step(service.name, f"fetching {known.name} from {known.repository}")
        repository = session.repository_of(known)
        try:
            return repository.fetch(known, folder_of(service), target, session.on_line(service.name))
        except DarkpeakError as error:
            wrong.append(error.message)
    raise CheckFailed("; ".join(wrong), hint="nothing was touched; list the other snapshots: darkpeak snapshots")


def restore(
    session: Session, service: Service, name: str | None, *, keep: bool = True, discard: bool = False
) -> Restored:
    """Restore a service into its running containers, from its newest snapshot or a named one.

    The present state becomes a snapshot first, which is restored if the service does not pass its checks afterwards.
    With `discard`, a present state that cannot be saved is given up. Without `keep`, it is not saved.

    Raises:
        CheckFailed: when the snapshot is damaged, or when the service fails its checks; the state before is back.
        SystemFailure: when the state before could not be restored; the message names its snapshot.
    """
    started = time.monotonic()
    startable(service, "restore", in_helper)
    project = session.project(service)
    wanted = find_snapshots(session, service, name)
    manifest = fetch(session, service, wanted, RESTORED)
    if not session.engine.observe().of(service.project):
        hint = f"start it first: darkpeak up {service.name}"
        raise UsageError(f"{service.name} has no containers to restore into", hint=hint)
    kept = _keep_present(session, service, discard=discard) if keep else ""
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        session.progress.step(service.name, "running its restore script")
        verified, failure = put(session.scripts, project, f"{RESTORED}/parts")
        if failure:
            failure = _undo(session, project, kept, failure)
    store.write(session.engine, RestoreRecord(service.name, now(), manifest.name, not failure, failure))
    if failure:
        hint = f"see why: darkpeak logs {service.name}"
        raise CheckFailed(f"{service.name} was not restored: {failure}", hint=hint)
    session.progress.step(service.name, "restored")
    took = round(time.monotonic() - started, 1)
    return Restored(service.name, manifest.name, wanted[0].repository, kept, verified, took)


def unpack(session: Session, service: Service, name: str | None, target: Path) -> str:
    """Write a snapshot's parts into a new folder of this machine; return the snapshot's name.

    Raises:
        UsageError: when the folder is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty", hint="name a new folder")
    manifest = fetch(session, service, find_snapshots(session, service, name), RESTORED)
    session.helper.copy_out(f"{RESTORED}/parts", target)
    return manifest.name


def _keep_present(session: Session, service: Service, *, discard: bool) -> str:
    """Make a snapshot of the present state; return its name, empty if it was given up."""
    session.progress.step(service.name, "saving the present state")
    made = back_up(session, service, BEFORE)
    if made.snapshot:
        return made.snapshot
    if discard:
        return ""
    what = f"the present state of {service.name} cannot be saved: {'; '.join(made.failures)}"
    raise CheckFailed(what, hint="nothing was touched; to give the present state up, use --discard")


def put(scripts: Scripts, project: ComposeProject, parts: str) -> tuple[str, str]:
    """Run the restore script, wait until healthy, run scripts/verify; return what that printed, and what failed."""
    try:
        done = scripts.run(project, "restore", parts)
    except BadScript as error:
        return "", error.line
    if done.code:
        return "", f"its restore script failed: {done.last_line()}"
    waiting = ("--wait", "--wait-timeout", str(HEALTHY_SECONDS))
    waited = project.compose("up", "--detach", "--no-build", "--no-recreate", *waiting)
    if waited.code:
        return "", f"it did not become healthy: {waited.last_line()}"
    checked = scripts.verify(project)
    if checked is None:
        return "", ""
    line = checked.last_line()
    return ("", f"verification failed after the restore: {line}") if checked.code else (line, "")


def _undo(session: Session, project: ComposeProject, kept: str, failure: str) -> str:
    """Restore the state before; return the failure, with how that ended."""
    service = project.service
    if not kept:
        return f"{failure}; there is no saved state before it"
    session.progress.step(service.name, "restoring the state before")
    try:
        fetch(session, service, find_snapshots(session, service, kept), REPLACED)
        _, again = put(session.scripts, project, f"{REPLACED}/parts")
    except DarkpeakError as error:
        again = error.message
    if again:
        what = f"{service.name}: {failure}; the state before could not be restored either: {again}"
        hint = f"it is saved as {kept}; restore it: darkpeak restore {service.name} --snapshot {kept}"
        raise SystemFailure(what, hint=hint)
    return f"{failure}; the state before is restored"
