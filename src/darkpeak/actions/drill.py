"""Drill services: restore a snapshot into a scratch project beside the live service, and check it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from darkpeak.actions.restore import RESTORED, fetch, find_snapshots, put
from darkpeak.actions.scratch import images_of, scratch, start
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.errors import CheckFailed, DarkpeakError
from darkpeak.evidence import store
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.record import now
from darkpeak.helper.build import program
from darkpeak.helper.container import WORK
from darkpeak.helper.scripts import ComposeProject
from darkpeak.repository import snapshots
from darkpeak.repository.snapshots import Manifest, Part

LEAST_OF_SIZE = 0.9  # the least size of a backup of the restored copy, compared with the snapshot


@dataclass(frozen=True)
class Drilled:
    """How a drill went."""

    service: str
    snapshot: str = ""
    good: bool = False
    message: str = ""  # what scripts/verify printed, or what was wrong
    size: int = 0  # of the snapshot, in bytes
    seconds: float = 0.0  # from fetching the snapshot to the end of the checks
    notes: tuple[str, ...] = ()


def drill(session: Session, service: Service, name: str | None = None) -> Drilled:
    """Drill one service, and record the result on the daemon.

    Raises:
        SystemFailure: when the engine or all repositories fail; nothing is recorded then.
    """
    wanted = find_snapshots(session, service.name, name)
    started = time.monotonic()
    try:
        manifest = fetch(session, wanted, RESTORED)
        message, notes = try_out(session, service, manifest, f"{RESTORED}/parts")
    except CheckFailed as error:
        done = Drilled(service.name, wanted[0].name, good=False, message=error.message)
    else:
        took = round(time.monotonic() - started, 1)
        done = Drilled(service.name, manifest.name, good=True, message=message, seconds=took, notes=notes)
        done = replace(done, size=manifest.size)
    session.progress.step(service.name, "drilled" if done.good else "failed")
    record = DrillRecord(service.name, now(), done.snapshot, done.good, done.message, done.seconds)
    store.write(session.engine, record)
    return done


def drill_each(
    session: Session, services: Sequence[Service], name: str | None = None, *, spoilt: bool = False
) -> list[Drilled]:
    """Drill services; one that cannot be drilled does not keep the others from it."""
    done = []
    for service in services:
        try:
            done.append(drill_spoilt(session, service) if spoilt else drill(session, service, name))
        except DarkpeakError as error:
            done.append(Drilled(service.name, message=error.message))
    return done


def drill_spoilt(session: Session, service: Service) -> Drilled:
    """Test the drill itself: drill a copy whose largest part was cut in half; the result is good if the drill fails.

    The snapshot in the repository stays as it is: only the fetched copy is damaged.
    """
    wanted = find_snapshots(session, service.name, None)
    manifest = fetch(session, wanted, RESTORED)
    if not manifest.size:
        raise CheckFailed(f"{manifest.name} is empty, so it cannot be damaged", hint="write something, then save it")
    path = max(manifest.parts, key=lambda item: manifest.parts[item].size)
    session.helper.must(*program("spoil", f"{RESTORED}/parts/{path}"))
    try:
        try_out(session, service, manifest, f"{RESTORED}/parts")
    except CheckFailed as error:
        message = f"{path} was cut in half, and the drill noticed it: {error}"
        return Drilled(service.name, manifest.name, good=True, message=message)
    message = f"{path} was cut in half, and the drill did not notice it"
    return Drilled(service.name, manifest.name, good=False, message=message)


def try_out(session: Session, service: Service, manifest: Manifest, parts: str) -> tuple[str, tuple[str, ...]]:
    """Restore parts into a scratch project and check it; return what scripts/verify printed, and notes.

    Raises:
        CheckFailed: when a check fails.
    """
    images, notes = images_of(session, service, manifest)
    with scratch(session, service, images) as project:
        start(session, project)
        session.progress.step(service.name, "restoring into the copy")
        verified, failure = put(session.scripts, project, parts)
        failure = failure or snapshots.compare_content(manifest.says, verified)
        if failure:
            raise CheckFailed(failure)
        session.progress.step(service.name, "backing up the copy, to compare it")
        lost = _lost(session, project, manifest)
        if lost:
            raise CheckFailed("; ".join(lost))
    if not verified:
        notes = (*notes, f"{service.name} has no scripts/verify; only its health and its sizes were checked")
    return verified, notes


def _lost(session: Session, project: ComposeProject, manifest: Manifest) -> list[str]:
    """Return what is missing in a backup of the restored copy, compared with the snapshot."""
    folder = f"{WORK}/.again"
    session.helper.must("rm", "-rf", folder)
    again = session.scripts.run(project, "backup", folder)
    if again.code:
        return [f"the restored copy cannot be backed up: {again.last_line()}"]
    found = snapshots.make_inventory(session.helper.inventory(folder))
    session.helper.must("rm", "-rf", folder)
    return compare(manifest.parts, found)


def compare(saved: Mapping[str, Part], found: Mapping[str, Part]) -> list[str]:
    """Return which parts of a snapshot are missing or smaller after a restore, by their rows and sizes."""
    lost = [f"{path} is in the snapshot, but not in the restored copy" for path in sorted(saved.keys() - found.keys())]
    for path in sorted(saved.keys() & found.keys()):
        then, here = saved[path], found[path]
        if (here.rows or 0) < (then.rows or 0) * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.rows} rows, and has {here.rows} after the restore")
        elif here.size < then.size * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.size} bytes, and has {here.size} after the restore")
    return lost
