"""Back up services: each service's own script writes its parts, which are then saved in every repository."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

from darkpeak.actions import saved_inventory
from darkpeak.actions.session import Session
from darkpeak.caller import commit_of, who
from darkpeak.collective.model import Service
from darkpeak.collective.scripts import BadScript
from darkpeak.deploy.routing import find_router
from darkpeak.engine import lock
from darkpeak.errors import DarkpeakError, SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.record import now
from darkpeak.helper.container import NO_SPACE, WORK
from darkpeak.helper.scripts import ComposeProject
from darkpeak.repository import restic_errors, snapshots
from darkpeak.repository.restic import ResticRepository
from darkpeak.repository.snapshots import BACKUP, Manifest, Part, Snapshot
from darkpeak.result import Result

TRIES = 3


@dataclass(frozen=True)
class BackedUp:
    """How the backup of one service went."""

    service: str
    snapshot: str = ""  # its name, empty if there is none
    number: int = 0
    size: int = 0  # bytes
    repositories: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    suspicious: tuple[str, ...] = ()  # nothing failed, but a person should check it
    notes: tuple[str, ...] = ()  # unusual, but probably not a fault
    sizes: tuple[tuple[str, int], ...] = ()  # bytes of each part
    unchanged: tuple[tuple[str, str, str], ...] = ()  # of each part: name, hash, since when

    @property
    def good(self) -> bool:
        """Whether the snapshot is in every repository."""
        return bool(self.snapshot) and not self.failures


def back_up(session: Session, service: Service, kind: str = BACKUP, *, by_hand: bool = True) -> BackedUp:
    """Make one snapshot of a service; failures are in the result, and are recorded on the daemon.

    After a suspicious backup, the next one is still compared with the one before, unless a person ran it (`by_hand`)
    and so accepted it.

    Raises:
        DarkpeakError: when no repository can be used; nothing is recorded then.
    """
    with lock.hold(session.engine, service.name, partial(session.progress.step, service.name)):
        try:
            made = _back_up(session, service, kind)
        except BadScript as error:
            made = BackedUp(service.name, failures=(error.line,))
        except DarkpeakError as error:
            session.require()  # if no repository can be used, that is the error
            made = BackedUp(service.name, failures=(error.message,))
    if kind == BACKUP:
        session.progress.step(service.name, "saved" if made.good else "failed")
        store.write(session.engine, _record(session, made, by_hand=by_hand))
    return made


def back_up_each(session: Session, services: Sequence[Service], *, by_hand: bool = True) -> list[BackedUp]:
    """Make one snapshot of each service; the failure of one does not keep another from being saved.

    Raises:
        DarkpeakError: when no repository can be used; nothing is recorded then.
    """
    session.require()
    made = []
    for service in services:
        try:
            made.append(back_up(session, service, by_hand=by_hand))
        except DarkpeakError as error:  # its lock, or its record
            made.append(BackedUp(service.name, failures=(error.message,)))
    return made


def folder_of(service: Service) -> str:
    """Return the folder of a service's parts in the helper: always the same, so that restic finds what is new."""
    return f"{WORK}/{service.name}"


@dataclass(frozen=True)
class ScriptOutput:
    """What a service's own script wrote in the helper."""

    parts: Mapping[str, Part]
    volumes: Mapping[str, str]  # parts that are folders of volumes, with their paths in the helper
    verified: tuple[Result | None, ...]  # scripts/verify before and after the backup
    empty: frozenset[str] = frozenset()  # parts that are folders without files
    left_out: tuple[str, ...] = ()  # what cannot be saved, with the reasons


@dataclass(frozen=True)
class Saved:
    """The repositories that have a snapshot, and why the others do not have it."""

    manifest: Manifest
    repositories: tuple[ResticRepository, ...]
    failures: tuple[str, ...]
    changed: bool  # files in volumes changed while they were saved


def _back_up(session: Session, service: Service, kind: str) -> BackedUp:
    # This takes time, during which the repositories are opened. No script runs before one can be used.
    session.helper.clear(folder_of(service))
    session.scripts.copy_in(service)
    session.require()
    for _ in range(TRIES):
        written = _run_script(session, service, kind)
        saved = _save(session, service, kind, written)
        session.helper.clear(folder_of(service))
        if not saved.changed:
            return _result(session, service, written, saved)
        session.progress.step(service.name, "files changed while they were read; reading them again")
    what = f"{', '.join(written.volumes)} changed during each of {TRIES} tries"
    raise SystemFailure(f"{what}; try at a quieter time, or have its backup script write a dump")


def _result(session: Session, service: Service, written: ScriptOutput, saved: Saved) -> BackedUp:
    manifest, parts = saved.manifest, written.parts
    before = store.find(session.engine, BackupRecord, service.name)
    known = {name: Part(size, "") for name, size in before.sizes} if before else {}
    unchanged = snapshots.unchanged(parts, before.unchanged if before else (), manifest.made)
    return BackedUp(
        service=service.name,
        snapshot=manifest.name if saved.repositories else "",
        number=manifest.number,
        size=manifest.size,
        repositories=tuple(repository.name for repository in saved.repositories),
        failures=saved.failures,
        suspicious=(*snapshots.suspicious(parts, known, written.empty), *_unverified(written.verified)),
        notes=(*written.left_out, *_stale(session, service, unchanged)),
        sizes=tuple((path, part.size) for path, part in sorted(parts.items())),
        unchanged=unchanged,
    )


def _run_script(session: Session, service: Service, kind: str) -> ScriptOutput:
    """Run the service's own backup script; return what it wrote."""
    folder = folder_of(service)
    session.progress.step(service.name, "running its backup script")
    project = session.project(service)
    before = _verify(session, project, kind)
    done = session.scripts.run(project, "backup", f"{folder}/parts")
    if done.code and NO_SPACE in done.stderr:
        what = f"its backup script failed: {restic_errors.NO_SPACE} (the engine's disk)"
        raise SystemFailure(what, hint="see how much is free: darkpeak doctor")
    if done.code:
        raise SystemFailure(f"its backup script failed: {done.last_line()}")
    found = session.helper.inventory(f"{folder}/parts")
    parts = snapshots.make_inventory(found)
    empty = snapshots.empty_folders(found)
    if not parts or (not any(part.size for part in parts.values()) and parts.keys() != empty):
        raise SystemFailure("its backup script reported success, but wrote nothing")
    volumes = {name: str(part["volume"]) for name, part in found.items() if "volume" in part}
    for name, at in volumes.items():
        if any(PurePosixPath(other).is_relative_to(at) for one, other in volumes.items() if one != name):
            raise SystemFailure(f"its backup script copies a folder twice: {name} contains another part")
    verified = (before, _verify(session, project, kind))
    return ScriptOutput(parts, volumes, verified, empty, tuple(snapshots.not_saved(found)))


def _save(session: Session, service: Service, kind: str, written: ScriptOutput) -> Saved:
    """Write the manifest, and save the parts in every repository."""
    folder = folder_of(service)
    says = tuple(answer.last_line() for answer in written.verified if answer and not answer.code)
    says = says if len(says) == len(written.verified) else ()
    ran = saved_inventory.take(session, service)
    digest = saved_inventory.digest_of(ran.encode())
    manifest = replace(_manifest(session, service, kind, written.parts), says=says, inventory=digest)
    # Relative links are right wherever the whole snapshot is restored.
    links = {f"parts/{name}": posixpath.relpath(at, f"{folder}/parts") for name, at in written.volumes.items()}
    session.helper.put(folder, {"manifest.json": manifest.text(), saved_inventory.FILE: ran}, links)
    failures = [error.message for error in session.repositories.unusable()]
    stored: list[tuple[ResticRepository, Snapshot]] = []
    for repository in session.repositories.usable():
        session.progress.step(service.name, f"saving to {repository.name}")
        try:
            saved = repository.save(folder, tuple(written.volumes.values()), manifest, session.on_line(service.name))
        except DarkpeakError as error:
            failures.append(error.message)
        else:
            stored.append((repository, manifest.known(saved, repository.name)))
    with ThreadPoolExecutor() as pool:  # restic derives its key for half a second in each call
        changed = pool.submit(_changed, session, service, written)
        answers = list(pool.map(lambda item: _read_back(item[0], item[1], folder, manifest), stored))
    failures += [error.message for error in answers if error]
    good = [item for item, error in zip(stored, answers, strict=True) if not error]
    if changed.result():
        good = list(_discard(good))
    for _, known in good:
        session.repositories.add(known)
    return Saved(manifest, tuple(repository for repository, _ in good), tuple(failures), changed.result())


def _read_back(repository: ResticRepository, known: Snapshot, folder: str, manifest: Manifest) -> DarkpeakError | None:
    """Read the manifest back, since an exit code does not prove that it is there; return the error if it is not."""
    try:
        repository.read_back(known, folder, manifest)
    except DarkpeakError as error:
        return error
    return None


def _changed(session: Session, service: Service, written: ScriptOutput) -> bool:
    """Return whether files in volumes are no longer as the manifest says."""
    if not written.volumes:
        return False
    found = snapshots.make_inventory(session.helper.inventory(f"{folder_of(service)}/parts"))
    return any(found.get(name) != written.parts[name] for name in written.volumes)


def _discard(stored: Iterable[tuple[ResticRepository, Snapshot]]) -> Iterator[tuple[ResticRepository, Snapshot]]:
    """Delete a snapshot whose files changed while they were saved; yield it where the repository refuses that.

    There it keeps its number, and its manifest does not match, so that no restore uses it.
    """
    for repository, known in stored:
        try:
            repository.forget([known.restic_id], prune=False)
        except DarkpeakError:
            yield repository, known


def _verify(session: Session, project: ComposeProject, kind: str) -> Result | None:
    """Run the live service's scripts/verify; not before a restore, when the service may be broken."""
    return session.scripts.verify(project) if kind == BACKUP else None


def _unverified(verified: Sequence[Result | None]) -> list[str]:
    return [f"its verify script failed: {answer.last_line()}" for answer in verified if answer and answer.code][-1:]


def _stale(session: Session, service: Service, unchanged: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    """Yield a note for each part that has not changed for a week or more, although the service had requests.

    It is only a note, since perhaps nobody has written anything.
    """
    old = snapshots.stale(unchanged, datetime.now(UTC))
    requests = _requests(session, service) if old else 0
    if requests:
        yield from (f"{path} has not changed since {since[:10]}, with {requests} requests since" for path, since in old)


def _requests(session: Session, service: Service) -> int:
    """Return a service's requests since the router was last loaded; 0 if that is unknown."""
    with suppress(SystemFailure):
        router = find_router(session.target.collective, session.engine, session.engine.observe())
        counted = router.counters() if router else []
        return next((item.requests for item in counted if item.block == service.block), 0)
    return 0


def _manifest(session: Session, service: Service, kind: str, parts: Mapping[str, Part]) -> Manifest:
    """Return the manifest of a new snapshot; its number is one more than all known ones, so no clock is needed."""
    recorded = store.find(session.engine, BackupRecord, service.name)
    numbers = [known.number for known in session.snapshots(service.name) if known.host == session.host]
    numbers.append(recorded.number if recorded else 0)
    return Manifest(
        service=service.name,
        host=session.host,
        number=max(numbers, default=0) + 1,
        kind=kind,
        made=now(),
        by=who(),
        commit=commit_of(service.folder),
        images=session.engine.observe().images_of(service.project),
        parts=parts,
    )


def _record(session: Session, made: BackedUp, *, by_hand: bool) -> BackupRecord:
    """Return the record of a backup; without a new snapshot, it keeps the name and the time of the one before."""
    problems = (*made.failures, *made.suspicious)
    before = store.find(session.engine, BackupRecord, made.service)
    if made.snapshot:
        good = made.good and not made.suspicious
        sizes = before.sizes if before and made.suspicious and not by_hand else made.sizes
        saved = (made.service, now(), made.snapshot)
        return BackupRecord(*saved, good, problems, number=made.number, sizes=sizes, unchanged=made.unchanged)
    if before:
        return replace(before, good=False, problems=problems)
    return BackupRecord(made.service, now(), "", good=False, problems=problems)
