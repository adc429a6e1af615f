"""Bring a service back from a set: verified before anything is touched, and undone when it does not get well."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkpeak.actions.backup import folder_of, make_snapshot
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.engine import lock
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.helper.helper import WORK, Helper, Stage
from darkpeak.repository import snapshots

# One set at a time: the next takes its place.
RESTORED, BEFORE = f"{WORK}/.restored", f"{WORK}/.before"


@dataclass(frozen=True)
class Restored:
    """How a restore went."""

    service: str
    snapshot_name: str
    repository: str
    kept: str  # the set that holds what was replaced; empty when there was nothing
    verified: str  # what scripts/verify said; empty when the service has none
    seconds: float


def find_snapshots(session: Session, service: Service, name: str | None) -> list[snapshots.Snapshot]:
    """Return where the wanted set of a service is to be had."""
    return snapshots.choose(session.snapshots(service.name), service.name, session.host, name)


def fetch(session: Session, service: Service, wanted: list[snapshots.Snapshot], target: str) -> snapshots.Manifest:
    """Bring a set into the helper from the first repository that has it whole.

    Raises:
        CheckFailed: when no repository has it whole; what is wrong with each is said.
    """
    wrong = []
    for known in wanted:
        session.progress.step(service.name, f"{known.name} from {known.repository}")
        store = session.store_of(known)
        try:
            return store.fetch(known, folder_of(service), target, session.told(service.name))
        except DarkpeakError as error:
            wrong.append(error.message)
    raise CheckFailed("; ".join(wrong), hint="nothing was touched; darkpeak snapshots shows the other sets")


def restore(
    session: Session, service: Service, name: str | None, *, keep: bool = True, discard: bool = False
) -> Restored:
    """Restore a service into its running containers, from its newest set or a named one.

    What is there now becomes a set first, so that it outlives us; if the restored service does not become healthy or
    its content is not right, it is put back. With `discard`, a present state that cannot be saved is given up;
    without `keep` there is none.

    Raises:
        CheckFailed: when the set is spoilt, or what it restored is not right; the present state is there.
        SystemFailure: when the state before could not be put back; its set is named.
    """
    started = time.monotonic()
    stage = session.stage(service)
    wanted = find_snapshots(session, service, name)
    manifest = fetch(session, service, wanted, RESTORED)
    if not session.engine.observe().of(service.project):
        raise UsageError(f"{service.name} is not there to be restored into", hint=f"darkpeak up {service.name}")
    kept = _keep_present(session, service, discard=discard) if keep else ""
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        session.progress.step(service.name, "its own restore script")
        verified, failure = put(session.helper, stage, f"{RESTORED}/parts")
        if failure:
            failure = _undo(session, stage, kept, failure)
    record = Record(records.RESTORE, service.name, records.now(), manifest.name, not failure, failure)
    records.write(session.engine, record)
    if failure:
        raise CheckFailed(
            f"{service.name} was not restored: {failure}", hint=f"darkpeak logs {service.name} may show why"
        )
    session.progress.step(service.name, "restored")
    took = round(time.monotonic() - started, 1)
    return Restored(service.name, manifest.name, wanted[0].repository, kept, verified, took)


def unpack(session: Session, service: Service, name: str | None, target: Path) -> str:
    """Write the parts of a set into a new folder of this machine, and touch nothing else; return the set's name."""
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty", hint="name a new folder")
    manifest = fetch(session, service, find_snapshots(session, service, name), RESTORED)
    session.helper.copy_out(f"{RESTORED}/parts", target)
    return manifest.name


def _keep_present(session: Session, service: Service, *, discard: bool) -> str:
    """Make a set of what is there now; return its name."""
    session.progress.step(service.name, "keeping what is there now")
    made = make_snapshot(session, service, snapshots.BEFORE)
    if made.snapshot_name:
        return made.snapshot_name
    if discard:
        return ""
    what = f"what {service.name} holds now cannot be saved: {'; '.join(made.failures)}"
    raise CheckFailed(what, hint="nothing was touched; --discard gives the present state up")


def put(helper: Helper, stage: Stage, parts: str) -> tuple[str, str]:
    """Run the restore script, wait for health, check the content; return what the check said, and what failed."""
    done = helper.script(stage, "restore", parts)
    if done.code:
        return "", f"its restore script failed: {done.complaint()}"
    waited = stage.compose("up", "--detach", "--no-build", "--no-recreate", "--wait", "--wait-timeout", "180")
    if waited.code:
        return "", f"it does not become healthy: {waited.complaint()}"
    checked = helper.verify(stage)
    if checked is None:
        return "", ""
    said = checked.complaint()
    return ("", f"its content is not right: {said}") if checked.code else (said, "")


def _undo(session: Session, stage: Stage, kept: str, failure: str) -> str:
    """Put back what was there, and say so."""
    service = stage.service
    if not kept:
        return f"{failure}; there was no state before to put back"
    session.progress.step(service.name, "putting back what was there")
    try:
        fetch(session, service, find_snapshots(session, service, kept), BEFORE)
        _, again = put(session.helper, stage, f"{BEFORE}/parts")
    except DarkpeakError as error:
        again = error.message
    if again:
        what = f"{service.name}: {failure}; and what was there before could not be put back: {again}"
        raise SystemFailure(
            what, hint=f"it is safe in the set {kept}: darkpeak restore {service.name} --snapshot {kept}"
        )
    return f"{failure}; what was there before is back"
