"""Restore a service from a snapshot, which is verified first; the state before is restored if that fails."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkpeak import folders
from darkpeak.actions.backup import back_up
from darkpeak.actions.ready import make_ready, make_start
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.collective.scripts import BadScript, in_helper, startable
from darkpeak.deploy import routing
from darkpeak.deploy.target import Target
from darkpeak.engine import lock
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.drills import RestoreRecord
from darkpeak.evidence.ownership import require_ours
from darkpeak.evidence.record import now
from darkpeak.helper.container import WORK
from darkpeak.helper.scripts import ComposeProject, Scripts
from darkpeak.progress import Progress
from darkpeak.repository import snapshots
from darkpeak.repository.snapshots import BEFORE, Manifest, Snapshot

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


def find_snapshots(session: Session, service: str, name: str | None) -> list[Snapshot]:
    """Return a snapshot of a service (without a name, the newest), once for each repository that has it.

    A snapshot of a service that has no folder any more can be named too: the service may have been renamed.

    Raises:
        CheckFailed: when there is no such snapshot.
    """
    services = {item.name for item in session.target.collective.services}
    return snapshots.choose(session.snapshots(), service, session.host, name, services)


def fetch(session: Session, wanted: list[Snapshot], target: str) -> Manifest:
    """Fetch a snapshot into the helper, from the first repository that has it undamaged; return its manifest.

    Raises:
        CheckFailed: when no repository has it undamaged; the message says what is wrong in each.
    """
    wrong = []
    for known in wanted:
        session.progress.step(known.service, f"fetching {known.name} from {known.repository}")
        repository = session.repository_of(known)
        try:
            return repository.fetch(known, f"{WORK}/{known.service}", target, session.on_line(known.service))
        except DarkpeakError as error:
            wrong.append(error.message)
    raise CheckFailed("; ".join(wrong), hint="nothing was touched; list the other snapshots: darkpeak snapshots")


def restore(
    session: Session, service: Service, name: str | None, *, keep: bool = True, discard: bool = False
) -> Restored:
    """Restore a service into its containers, from its newest snapshot or a named one.

    A service that does not run is started, and one without containers is deployed, with new volumes if its own are
    lost. The present state becomes a snapshot first, which is restored if the service does not pass its checks
    afterwards. With `discard`, a present state that cannot be saved is given up. Without `keep`, it is not saved.

    Raises:
        UsageError: when the engine is another collective's, or has the CA of another domain; nothing was touched.
        CheckFailed: when the snapshot is damaged, or when the service fails its checks; the state before is back.
        SystemFailure: when the state before could not be restored; the message names its snapshot.
    """
    started = time.monotonic()
    require_ours(session.target.collective, session.engine, deploys=True)
    startable(service, "restore", in_helper)
    project = session.project(service)
    wanted = find_snapshots(session, service.name, name)
    manifest = fetch(session, wanted, RESTORED)
    has_data = make_ready(session, service)
    kept = _keep_present(session, service, discard=discard) if keep and has_data else ""
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        session.progress.step(service.name, "running its restore script")
        try:
            verified, failure = put(session.scripts, project, f"{RESTORED}/parts")
            if failure:
                failure = _undo(session, project, kept, failure)
        except KeyboardInterrupt:
            _restart_stopped(project)
            raise
    store.write(session.engine, RestoreRecord(service.name, now(), manifest.name, not failure, failure))
    if failure:
        hint = f"see why: darkpeak logs {service.name}"
        raise CheckFailed(f"{service.name} was not restored: {failure}", hint=hint)
    finish(session.target, service, session.progress)
    session.progress.step(service.name, "restored")
    took = round(time.monotonic() - started, 1)
    return Restored(service.name, manifest.name, wanted[0].repository, kept, verified, took)


def finish(target: Target, service: Service, progress: Progress) -> None:
    """See a restored service answer through the router. Every restore into a live service ends here.

    Raises:
        SystemFailure: when the router refuses, or when the service does not answer.
    """
    routing.require_answer(target.collective, target.engine, service, partial(progress.step, service.name))


@dataclass(frozen=True)
class Unpacked:
    """A snapshot's parts in a folder of this machine."""

    service: str
    snapshot: str
    folder: str
    left_out: tuple[str, ...] = ()  # what could not be written, with the reasons


def unpack(session: Session, name: str, snapshot: str | None, target: Path) -> Unpacked:
    """Write a snapshot's parts into a new folder of this machine; its service need not exist any more.

    Raises:
        UsageError: when the folder is not empty, or when another user could replace what is written there.
        SystemFailure: when it was not written completely.
    """
    folder = folders.make_empty(target)
    manifest = fetch(session, find_snapshots(session, name, snapshot), RESTORED)
    left_out = session.helper.copy_out(f"{RESTORED}/parts", folder)
    return Unpacked(name, manifest.name, str(folder), tuple(map(str, left_out)))


def _restart_stopped(project: ComposeProject) -> None:
    """Start what a script has stopped that was killed with the command; `restart` waits for the end of a stop."""
    project.compose("restart", *(item.name for item in project.service.containers if not item.ends))


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
    waited = project.compose(*make_start(project.service))
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
        fetch(session, find_snapshots(session, service.name, kept), REPLACED)
        _, again = put(session.scripts, project, f"{REPLACED}/parts")
    except DarkpeakError as error:
        again = error.message
    if again:
        what = f"{service.name}: {failure}; the state before could not be restored either: {again}"
        hint = f"it is saved as {kept}; restore it: darkpeak restore {service.name} --snapshot {kept}"
        raise SystemFailure(what, hint=hint)
    return f"{failure}; the state before is restored"
