"""Drills: the newest set, restored into a scratch project beside the live one, and asked whether it is right."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from darkpeak.actions.copy import images_of, scratch, start
from darkpeak.actions.restore import RESTORED, fetch, find_snapshots, put
from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.errors import CheckFailed
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.helper.helper import PROGRAMS, WORK, Helper, Stage
from darkpeak.repository import snapshots

LEAST_OF_SIZE = 0.9  # a backup of the restored service has about the size of the set that it came from


@dataclass(frozen=True)
class Drilled:
    """How a drill went."""

    service: str
    snapshot_name: str = ""
    good: bool = False
    said: str = ""
    seconds: float = 0.0  # from the repository to a service that has been asked
    notes: tuple[str, ...] = field(default=())


def drill(session: Session, service: Service, name: str | None = None) -> Drilled:
    """Drill one service and record it for everyone to see.

    Raises:
        SystemFailure: when the engine or every repository fails, which says nothing about the set.
    """
    wanted = find_snapshots(session, service, name)
    started = time.monotonic()
    try:
        manifest = fetch(session, service, wanted, RESTORED)
        said, notes = live_through(session, service, manifest, f"{RESTORED}/parts")
    except CheckFailed as error:
        done = Drilled(service.name, wanted[0].name, good=False, said=error.message)
    else:
        took = round(time.monotonic() - started, 1)
        done = Drilled(service.name, manifest.name, good=True, said=said, seconds=took, notes=notes)
    session.progress.step(service.name, "drilled" if done.good else "failed")
    record = Record(records.DRILL, service.name, records.now(), done.snapshot_name, done.good, done.said, done.seconds)
    records.write(session.engine, record)
    return done


def drill_spoilt(session: Session, service: Service) -> Drilled:
    """Drill a set whose largest part was cut short before it was described: a drill that finds nothing is itself bad.

    The set in the repository stays as it is; only what was fetched is spoilt, with a manifest that agrees.
    """
    wanted = find_snapshots(session, service, None)
    manifest = fetch(session, service, wanted, RESTORED)
    path = max(manifest.parts, key=lambda item: manifest.parts[item].size)
    session.helper.must("python3", f"{PROGRAMS}/spoil.py", f"{RESTORED}/parts/{path}")
    try:
        live_through(session, service, manifest, f"{RESTORED}/parts")
    except CheckFailed as error:
        return Drilled(service.name, manifest.name, good=True, said=f"{path} was cut in half, and found: {error}")
    said = f"{path} was cut in half, and the drill found nothing wrong"
    return Drilled(service.name, manifest.name, good=False, said=said)


def live_through(
    session: Session, service: Service, manifest: snapshots.Manifest, parts: str
) -> tuple[str, tuple[str, ...]]:
    """Restore parts into a scratch project and ask it; return what its check said, and what a person should know.

    Raises:
        CheckFailed: when anything is not right.
    """
    images, notes = images_of(session, service, manifest)
    with scratch(session, service, images) as stage:
        start(session, stage)
        session.progress.step(service.name, "restoring into it")
        verified, failure = put(session.helper, stage, parts)
        failure = failure or snapshots.disagreement(manifest.says, verified)
        if failure:
            raise CheckFailed(failure)
        session.progress.step(service.name, "backing it up again, to compare")
        lost = _lost(session.helper, stage, manifest)
        if lost:
            raise CheckFailed("; ".join(lost))
    if not verified:
        notes = (*notes, f"{service.name} has no scripts/verify: only its health and sizes were looked at")
    return verified, notes


def _lost(helper: Helper, stage: Stage, manifest: snapshots.Manifest) -> list[str]:
    """Say what is missing from a backup of the restored service, compared with the set that it came from."""
    folder = f"{WORK}/.again"
    helper.must("rm", "-rf", folder)
    again = helper.script(stage, "backup", folder)
    if again.code:
        return [f"what was restored cannot be backed up: {again.complaint()}"]
    found = snapshots.make_inventory(helper.inventory(folder))
    helper.must("rm", "-rf", folder)
    return compare(manifest.parts, found)


def compare(saved: Mapping[str, snapshots.Part], found: Mapping[str, snapshots.Part]) -> list[str]:
    """Say which parts of a set have not come through a restore: by what counts in them, and by their size."""
    lost = [f"{path} is in the set and not in what was restored" for path in sorted(saved.keys() - found.keys())]
    for path in sorted(saved.keys() & found.keys()):
        then, now = saved[path], found[path]
        if (now.rows or 0) < (then.rows or 0) * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.rows} rows, and has {now.rows} after the restore")
        elif now.size < then.size * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.size} bytes, and has {now.size} after the restore")
    return lost
