"""Drills: the newest set, restored into a scratch project beside the live one, and asked whether it is right."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from darkpeak.backup import records, sets
from darkpeak.backup.helper import PROGRAMS, WORK, Helper, Stage
from darkpeak.backup.records import Record
from darkpeak.backup.restore import fetch, find_sets, put
from darkpeak.backup.scratch import free_subnets, make_scratch
from darkpeak.backup.session import Session
from darkpeak.collective.model import Service
from darkpeak.daemon.engine import Result, run
from darkpeak.errors import NotSo, SystemFailure

LEAST_OF_SIZE = 0.9  # a backup of the restored service has about the size of the set that it came from
HEALTHY_SECONDS = "180"


@dataclass(frozen=True)
class Drilled:
    """How a drill went."""

    service: str
    set_name: str = ""
    good: bool = False
    said: str = ""
    seconds: float = 0.0  # from the repository to a service that has been asked
    notes: tuple[str, ...] = field(default=())


def drill(session: Session, service: Service, name: str | None = None) -> Drilled:
    """Drill one service and record it for everyone to see.

    Raises:
        SystemFailure: when the engine or every repository fails, which says nothing about the set.
    """
    wanted = find_sets(session, service, name)
    target = f"{WORK}/drill/{service.name}"
    started = time.monotonic()
    try:
        manifest = fetch(session, service, wanted, target)
        said, notes = live_through(session, service, manifest, f"{target}/parts")
    except NotSo as error:
        done = Drilled(service.name, wanted[0].name, good=False, said=error.message)
    else:
        took = round(time.monotonic() - started, 1)
        done = Drilled(service.name, manifest.name, good=True, said=said, seconds=took, notes=notes)
    session.progress.step(service.name, "drilled" if done.good else "failed")
    record = Record(records.DRILL, service.name, records.now(), done.set_name, done.good, done.said, done.seconds)
    records.write(session.engine, record)
    return done


def drill_spoilt(session: Session, service: Service) -> Drilled:
    """Drill a set whose largest part was cut short before it was described: a drill that finds nothing is itself bad.

    The set in the repository stays as it is; only what was fetched is spoilt, with a manifest that agrees.
    """
    wanted = find_sets(session, service, None)
    target = f"{WORK}/drill/{service.name}"
    manifest = fetch(session, service, wanted, target)
    path = max(manifest.parts, key=lambda item: manifest.parts[item].size)
    session.helper.must("python3", f"{PROGRAMS}/spoil.py", f"{target}/parts/{path}")
    try:
        live_through(session, service, manifest, f"{target}/parts")
    except NotSo as error:
        return Drilled(service.name, manifest.name, good=True, said=f"{path} was cut in half, and found: {error}")
    said = f"{path} was cut in half, and the drill found nothing wrong"
    return Drilled(service.name, manifest.name, good=False, said=said)


def live_through(
    session: Session, service: Service, manifest: sets.Manifest, parts: str
) -> tuple[str, tuple[str, ...]]:
    """Restore parts into a scratch project and ask it; return what its check said, and what a person should know.

    Raises:
        NotSo: when anything is not right.
    """
    images, notes = _images(session, service, manifest)
    with scratch(session, service, images) as stage:
        session.progress.step(service.name, "starting beside the live one")
        up = stage.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", HEALTHY_SECONDS)
        if up.code:
            raise NotSo(f"the scratch project does not become healthy: {up.complaint()}")
        session.progress.step(service.name, "restoring into it")
        verified, failure = put(session.helper, stage, parts)
        failure = failure or sets.disagreement(manifest.says, verified)
        if failure:
            raise NotSo(failure)
        session.progress.step(service.name, "backing it up again, to compare")
        lost = _lost(session.helper, stage, manifest)
        if lost:
            raise NotSo("; ".join(lost))
    if not verified:
        notes = (*notes, f"{service.name} has no scripts/verify: only its health and sizes were looked at")
    return verified, notes


def _lost(helper: Helper, stage: Stage, manifest: sets.Manifest) -> list[str]:
    """Say what is missing from a backup of the restored service, compared with the set that it came from."""
    folder = f"{WORK}/drill/{stage.service.name}-again"
    helper.must("rm", "-rf", folder)
    again = helper.script(stage, "backup", folder)
    if again.code:
        return [f"what was restored cannot be backed up: {again.complaint()}"]
    found = sets.make_inventory(helper.inventory(folder))
    helper.must("rm", "-rf", folder)
    return compare(manifest.parts, found)


def compare(saved: Mapping[str, sets.Part], found: Mapping[str, sets.Part]) -> list[str]:
    """Say which parts of a set have not come through a restore: by what counts in them, and by their size."""
    lost = [f"{path} is in the set and not in what was restored" for path in sorted(saved.keys() - found.keys())]
    for path in sorted(saved.keys() & found.keys()):
        then, now = saved[path], found[path]
        if (now.rows or 0) < (then.rows or 0) * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.rows} rows, and has {now.rows} after the restore")
        elif now.size < then.size * LEAST_OF_SIZE:
            lost.append(f"{path} had {then.size} bytes, and has {now.size} after the restore")
    return lost


def _images(session: Session, service: Service, manifest: sets.Manifest) -> tuple[dict[str, str], tuple[str, ...]]:
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
            raise SystemFailure(f"there is no image of {container.name} here", mend=f"darkpeak up {service.name}")
    return images, tuple(notes)


@contextmanager
def scratch(session: Session, service: Service, images: Mapping[str, str]) -> Iterator[Stage]:
    """Have a scratch project of a service, and remove all of it afterwards; one that was left over goes first."""
    project, compose = f"{service.project}-drill", session.place.compose
    asked = compose.call(service, "config", "--format", "json")
    if asked.code:
        raise SystemFailure(f"compose cannot read {service.name}: {asked.complaint()}")
    file = json.dumps(make_scratch(json.loads(asked.stdout), project, images, free_subnets(_used(session)))).encode()
    argv = ("docker", "compose", "--ansi", "never", "--project-directory", str(service.folder))

    def call(*arguments: str) -> Result:
        return run((*argv, "--project-name", project, "--file", "-", *arguments), compose.environment, file)

    def remove() -> None:
        gone = call("down", "--volumes", "--remove-orphans", "--timeout", "1")
        if gone.code:
            raise SystemFailure(
                f"{project} was not removed: {gone.complaint()}",
                mend="docker compose --project-name " + project + " down --volumes",
            )

    remove()
    try:
        yield Stage(service, project, call)
    except BaseException:  # Ctrl-C as well
        with suppress(SystemFailure):  # what is left over, the next session removes
            remove()
        raise
    remove()


def _used(session: Session) -> Iterator[str]:
    for network in session.engine.client.api.networks():
        for pool in (network.get("IPAM") or {}).get("Config") or ():
            if pool.get("Subnet"):
                yield pool["Subnet"]
