"""Make sets: a service's own script writes its parts beside the volumes, then they go to every repository."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from darkpeak.backup import helper as helpers
from darkpeak.backup import records, sets, trouble
from darkpeak.backup.helper import WORK, Helper, Stage
from darkpeak.backup.records import Record
from darkpeak.backup.session import Session
from darkpeak.collective.model import Service
from darkpeak.daemon import history, lock
from darkpeak.daemon.engine import Result
from darkpeak.daemon.up import find_router
from darkpeak.errors import DarkpeakError, SystemFailure


@dataclass(frozen=True)
class Made:
    """How the backup of one service went."""

    service: str
    set_name: str = ""
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
        return bool(self.set_name) and not self.failures


def make_set(session: Session, service: Service, kind: str = sets.BACKUP, *, by_hand: bool = True) -> Made:
    """Make one set of a service; what fails is said in the result, and recorded for everyone to see.

    What looks odd is odd again next time, unless it was made by hand: whoever looks at it takes it as right.
    """
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        try:
            made = _make(session, service, kind)
        except DarkpeakError as error:
            made = Made(service.name, failures=(error.message,))
    if kind == sets.BACKUP:
        session.progress.step(service.name, "saved" if made.good else "failed")
        records.write(session.engine, _record(session, made, by_hand=by_hand))
    return made


def folder_of(service: Service) -> str:
    """Return where a set of a service lies in the helper, each time the same, so that restic finds what is new."""
    return f"{WORK}/{service.name}"


def _make(session: Session, service: Service, kind: str) -> Made:
    folder, helper = folder_of(service), session.helper
    session.progress.step(service.name, "its own backup script")
    helper.must("sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder)
    stage = session.stage(service)
    asked = [_asked(helper, stage, kind)]
    done = helper.script(stage, "backup", f"{folder}/parts")
    if done.code and helpers.NO_SPACE in done.stderr:
        raise SystemFailure(f"its backup script failed: {trouble.NO_SPACE}, on the engine's disk: darkpeak doctor")
    if done.code:
        raise SystemFailure(f"its backup script failed: {done.complaint()}")
    parts = sets.make_inventory(helper.inventory(f"{folder}/parts"))
    if not parts or not any(part.size for part in parts.values()):
        raise SystemFailure("its backup script said that all is well, and wrote nothing")
    asked.append(_asked(helper, stage, kind))
    says = tuple(answer.complaint() for answer in asked if answer and not answer.code)
    manifest = replace(_manifest(session, service, kind, parts), says=says if len(says) == len(asked) else ())
    helper.must("sh", "-c", 'cat >"$1/manifest.json"', "sh", folder, stdin=manifest.text().encode())
    saved, failures = [], [error.message for error in session.absent]
    for store in session.stores:
        session.progress.step(service.name, f"to {store.repository.name}")
        try:
            snapshot = store.save(folder, manifest, session.told(service.name))
            session.listing.add(manifest.known(snapshot, store.repository.name))
            saved.append(store.repository.name)
        except DarkpeakError as error:
            failures.append(error.message)
    helper.must("rm", "-rf", folder)
    before = records.find(session.engine, records.BACKUP, service.name)
    known = {name: sets.Part(size, "") for name, size in before.sizes} if before else {}
    seen = sets.unchanged(parts, before.seen if before else (), manifest.made)
    return Made(
        service=service.name,
        set_name=manifest.name if saved else "",
        number=manifest.number,
        size=manifest.size,
        repositories=tuple(saved),
        failures=tuple(failures),
        odd=(*sets.oddities(parts, known), *_wrong(asked)),
        sizes=tuple((path, part.size) for path, part in sorted(parts.items())),
        seen=seen,
        notes=tuple(_stale(session, service, seen)),
    )


def _asked(helper: Helper, stage: Stage, kind: str) -> Result | None:
    """Ask the live service of its content; not where it is only kept before a restore, and may well be broken."""
    return helper.verify(stage) if kind == sets.BACKUP else None


def _wrong(asked: Sequence[Result | None]) -> list[str]:
    return [f"its content is not right: {answer.complaint()}" for answer in asked if answer and answer.code][-1:]


def _stale(session: Session, service: Service, seen: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    """Say which parts are byte for byte those of a week ago or more, though the service was asked for things since.

    People may have read only; so it is said, and is no alarm.
    """
    old = sets.stale(seen, datetime.now(UTC))
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


def _manifest(session: Session, service: Service, kind: str, parts: dict[str, sets.Part]) -> sets.Manifest:
    """Describe a set. Its number is the next after all known ones, so that no clock decides which is newest."""
    recorded = records.find(session.engine, records.BACKUP, service.name)
    numbers = [known.number for known in session.sets(service.name) if known.host == session.host]
    numbers.append(recorded.number if recorded else 0)
    running = session.engine.observe().of(service.project)
    return sets.Manifest(
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
    if made.set_name:
        good, now = made.good and not made.odd, records.now()
        sizes = before.sizes if before and made.odd and not by_hand else made.sizes
        what = (records.BACKUP, made.service, now, made.set_name)
        return Record(*what, good, said, sizes=sizes, number=made.number, seen=made.seen)
    if before:
        return replace(before, good=False, said=said)
    return Record(records.BACKUP, made.service, records.now(), "", good=False, said=said)
