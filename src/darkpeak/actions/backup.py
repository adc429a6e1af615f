"""Make sets: a service's own script writes its parts beside the volumes, then they go to every repository."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

from darkpeak.actions.session import Session
from darkpeak.actions.up import find_router
from darkpeak.collective.model import Service
from darkpeak.engine import lock
from darkpeak.engine.engine import Result
from darkpeak.errors import DarkpeakError, SystemFailure
from darkpeak.evidence import deploys as history
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.helper import helper as helpers
from darkpeak.helper.helper import WORK, Helper, Stage
from darkpeak.repository import restic_errors as trouble
from darkpeak.repository import snapshots
from darkpeak.repository.restic import Store

TRIES = 3


@dataclass(frozen=True)
class Made:
    """How the backup of one service went."""

    service: str
    snapshot_name: str = ""
    number: int = 0
    size: int = 0
    repositories: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    seen: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()  # what may be as it should

    @property
    def good(self) -> bool:
        """Whether the set is in every repository."""
        return bool(self.snapshot_name) and not self.failures


def make_snapshot(session: Session, service: Service, kind: str = snapshots.BACKUP, *, by_hand: bool = True) -> Made:
    """Make one set of a service; what fails is said in the result, and recorded for everyone to see.

    What looks odd is odd again next time, unless it was made by hand: whoever looks at it takes it as right.

    Raises:
        DarkpeakError: why no repository can be used, when not a single one can; nothing is recorded then.
    """
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        try:
            made = _make(session, service, kind)
        except DarkpeakError as error:
            session.require()  # else that is what is wrong, and with every service
            made = Made(service.name, failures=(error.message,))
    if kind == snapshots.BACKUP:
        session.progress.step(service.name, "saved" if made.good else "failed")
        records.write(session.engine, _record(session, made, by_hand=by_hand))
    return made


def folder_of(service: Service) -> str:
    """Return where a set of a service lies in the helper, each time the same, so that restic finds what is new."""
    return f"{WORK}/{service.name}"


@dataclass(frozen=True)
class Written:
    """What a service's own script left in the helper."""

    parts: Mapping[str, snapshots.Part]
    volumes: Mapping[str, str]  # parts that lie in volumes, and where in the helper
    asked: tuple[Result | None, ...]  # scripts/verify just before, and just after


@dataclass(frozen=True)
class Saved:
    """Where a set is, and why it is not elsewhere."""

    manifest: snapshots.Manifest
    stores: tuple[Store, ...]
    failures: tuple[str, ...]
    changed: bool  # what lies in volumes is not any more what the manifest says of it


def _make(session: Session, service: Service, kind: str) -> Made:
    # While the repositories are asked whether they can be used; nothing is touched before one can.
    session.helper.clear(folder_of(service))
    session.helper.bring(service)
    session.require()
    for _ in range(TRIES):
        written = _write(session, service, kind)
        saved = _save(session, service, kind, written)
        session.helper.clear(folder_of(service))
        if not saved.changed:
            break
        session.progress.step(service.name, "files changed while they were read: once more")
    else:
        what = f"{', '.join(written.volumes)} changed each time that it was read"
        raise SystemFailure(f"{what}: try at a quieter hour, or let its backup script make a dump of it")
    manifest, parts = saved.manifest, written.parts
    before = records.find(session.engine, records.BACKUP, service.name)
    known = {name: snapshots.Part(size, "") for name, size in before.sizes} if before else {}
    seen = snapshots.unchanged(parts, before.seen if before else (), manifest.made)
    return Made(
        service=service.name,
        snapshot_name=manifest.name if saved.stores else "",
        number=manifest.number,
        size=manifest.size,
        repositories=tuple(store.repository.name for store in saved.stores),
        failures=saved.failures,
        odd=(*snapshots.oddities(parts, known), *_wrong(written.asked)),
        sizes=tuple((path, part.size) for path, part in sorted(parts.items())),
        seen=seen,
        notes=tuple(_stale(session, service, seen)),
    )


def _write(session: Session, service: Service, kind: str) -> Written:
    """Have the service's own script write its parts."""
    folder, helper = folder_of(service), session.helper
    session.progress.step(service.name, "its own backup script")
    stage = session.stage(service)
    before = _asked(helper, stage, kind)
    done = helper.script(stage, "backup", f"{folder}/parts")
    if done.code and helpers.NO_SPACE in done.stderr:
        raise SystemFailure(f"its backup script failed: {trouble.NO_SPACE}, on the engine's disk: darkpeak doctor")
    if done.code:
        raise SystemFailure(f"its backup script failed: {done.complaint()}")
    found = helper.inventory(f"{folder}/parts")
    parts = snapshots.make_inventory(found)
    if not parts or not any(part.size for part in parts.values()):
        raise SystemFailure("its backup script said that all is well, and wrote nothing")
    volumes = {name: str(part["volume"]) for name, part in found.items() if "volume" in part}
    for name, at in volumes.items():
        if any(PurePosixPath(other).is_relative_to(at) for one, other in volumes.items() if one != name):
            raise SystemFailure(f"its backup script copies a folder twice: {name} holds another part, too")
    return Written(parts, volumes, (before, _asked(helper, stage, kind)))


def _save(session: Session, service: Service, kind: str, written: Written) -> Saved:
    """Describe the parts, and put them into every repository."""
    folder = folder_of(service)
    says = tuple(answer.complaint() for answer in written.asked if answer and not answer.code)
    says = says if len(says) == len(written.asked) else ()
    manifest = replace(_manifest(session, service, kind, written.parts), says=says)
    # Seen from the set's own folder, a link leads there too wherever the whole set is restored to.
    links = {f"parts/{name}": posixpath.relpath(at, f"{folder}/parts") for name, at in written.volumes.items()}
    session.helper.put(folder, {"manifest.json": manifest.text()}, links)
    failures = [error.message for error in session.absent]
    stored: list[tuple[Store, snapshots.Snapshot]] = []
    for store in session.stores:
        session.progress.step(service.name, f"to {store.repository.name}")
        try:
            snapshot = store.save(folder, tuple(written.volumes.values()), manifest, session.told(service.name))
        except DarkpeakError as error:
            failures.append(error.message)
        else:
            stored.append((store, manifest.known(snapshot, store.repository.name)))
    with ThreadPoolExecutor() as pool:  # what takes long is restic's deriving of the key
        changed = pool.submit(_changed, session, service, written)
        answers = list(pool.map(lambda one: _read_back(one[0], one[1], folder, manifest), stored))
    failures += [error.message for error in answers if error]
    good = [one for one, error in zip(stored, answers, strict=True) if not error]
    if changed.result():
        good = list(_discard(good))
    for _, known in good:
        session.repositories.add(known)
    return Saved(manifest, tuple(store for store, _ in good), tuple(failures), changed.result())


def _read_back(
    store: Store, known: snapshots.Snapshot, folder: str, manifest: snapshots.Manifest
) -> DarkpeakError | None:
    """Success is never an exit code alone: read the manifest back. Return why it is not there."""
    try:
        store.read_back(known, folder, manifest)
    except DarkpeakError as error:
        return error
    return None


def _changed(session: Session, service: Service, written: Written) -> bool:
    """Whether what lies in volumes is not any more what the manifest says of it."""
    if not written.volumes:
        return False
    now = snapshots.make_inventory(session.helper.inventory(f"{folder_of(service)}/parts"))
    return any(now.get(name) != written.parts[name] for name in written.volumes)


def _discard(stored: Iterable[tuple[Store, snapshots.Snapshot]]) -> Iterator[tuple[Store, snapshots.Snapshot]]:
    """Take back a set that is not of one moment; give those that stay, where nothing may be removed.

    They keep their number, and their manifest keeps them from use.
    """
    for store, known in stored:
        try:
            store.forget([known.snapshot], prune=False)
        except DarkpeakError:
            yield store, known


def _asked(helper: Helper, stage: Stage, kind: str) -> Result | None:
    """Ask the live service of its content; not where it is only kept before a restore, and may well be broken."""
    return helper.verify(stage) if kind == snapshots.BACKUP else None


def _wrong(asked: Sequence[Result | None]) -> list[str]:
    return [f"its content is not right: {answer.complaint()}" for answer in asked if answer and answer.code][-1:]


def _stale(session: Session, service: Service, seen: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    """Say which parts are byte for byte those of a week ago or more, though the service was asked for things since.

    People may have read only; so it is said, and is no alarm.
    """
    old = snapshots.stale(seen, datetime.now(UTC))
    requests = _requests(session, service) if old else 0
    if requests:
        yield from (
            f"{path} is byte for byte that of {since[:10]}, with {requests} requests since" for path, since in old
        )


def _requests(session: Session, service: Service) -> int:
    """Return how often the router has led somebody to a service since it was loaded; 0 where nobody can tell."""
    place = session.place
    with suppress(SystemFailure):
        router = find_router(place.collective, place.compose, session.engine.observe())
        counted = router.counters() if router else []
        return next((item.requests for item in counted if item.block == service.block), 0)
    return 0


def _manifest(session: Session, service: Service, kind: str, parts: Mapping[str, snapshots.Part]) -> snapshots.Manifest:
    """Describe a set. Its number is the next after all known ones, so that no clock decides which is newest."""
    recorded = records.find(session.engine, records.BACKUP, service.name)
    numbers = [known.number for known in session.snapshots(service.name) if known.host == session.host]
    numbers.append(recorded.number if recorded else 0)
    running = session.engine.observe().of(service.project)
    return snapshots.Manifest(
        service=service.name,
        host=session.host,
        number=max(numbers, default=0) + 1,
        kind=kind,
        made=records.now(),
        by=lock.who(),
        commit=history.commit_of(service.folder),
        images={item.container: item.image for item in running},
        parts=parts,
    )


def _record(session: Session, made: Made, *, by_hand: bool) -> Record:
    """Describe how it went; where there is no new set, the one before is still the newest, and as old as it was."""
    said = "; ".join((*made.failures, *made.odd))
    before = records.find(session.engine, records.BACKUP, made.service)
    if made.snapshot_name:
        good, now = made.good and not made.odd, records.now()
        sizes = before.sizes if before and made.odd and not by_hand else made.sizes
        what = (records.BACKUP, made.service, now, made.snapshot_name)
        return Record(*what, good, said, sizes=sizes, number=made.number, seen=made.seen)
    if before:
        return replace(before, good=False, said=said)
    return Record(records.BACKUP, made.service, records.now(), "", good=False, said=said)
