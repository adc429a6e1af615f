"""Move a service to another host, with its data.

What collective.toml says is where it lives. Until the data is there, a record on the new host keeps its router from
leading anybody to it; from the moment the old one is closed, a record there does the same. So there are never two
copies that members can reach, wherever the move is interrupted: the same command goes on, and with the old host it goes
back.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from darkpeak.actions.data import verify
from darkpeak.actions.ready import make_start
from darkpeak.actions.restore import restore
from darkpeak.actions.routes import lead
from darkpeak.actions.session import Session
from darkpeak.actions.up import bring_up, carry_out, ensure_base_images, lock_services, plan_up
from darkpeak.caller import who
from darkpeak.collective.content import replace_file
from darkpeak.collective.hosts import place
from darkpeak.collective.hosts_text import with_home
from darkpeak.collective.settings import Host
from darkpeak.deploy import authority, routing
from darkpeak.deploy.target import Target, require_plain
from darkpeak.engine.compose import Compose
from darkpeak.errors import CheckFailed, SystemFailure, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.moves import ARRIVING, GONE, MoveRecord
from darkpeak.evidence.ownership import require_ours
from darkpeak.evidence.record import now
from darkpeak.life.settle import NOTICE, must, notify, settle, settle_two
from darkpeak.lint.hosts import together
from darkpeak.progress import Progress
from darkpeak.repository.snapshots import BACKUP, Snapshot
from darkpeak.vocabulary import COLLECTIVE_FILE

QUIET_SECONDS = 10.0  # for the answers to requests that are under way


@dataclass(frozen=True)
class Relocated:
    """How a move ended."""

    service: str
    source: str
    host: str
    paused: float = 0.0  # seconds, during which members read a notice; 0 if it was there already
    verified: str = ""  # what scripts/verify printed
    snapshot: str = ""  # with --from-backup: what was restored, and when that was made
    made: str = ""
    kept: tuple[str, ...] = ()  # the hosts on which it is kept, stopped
    silent: tuple[str, ...] = ()  # the hosts that could not be asked


def relocate(home: Target, goal: Target, others: Sequence[Target], progress: Progress) -> Relocated:
    """Move a service from its home to another host; return how that went. The old one is kept, stopped.

    If it lives there already, what an interrupted move has left is put right.

    Raises:
        UsageError: when it cannot be moved; nothing was touched.
        SystemFailure: when that failed; the service runs where it was.
        CheckFailed: when it does not pass its own check there; it runs where it was.
    """
    service = home.service
    _require_current(home, [goal, *others])
    if home.host == goal.host:
        kept, silent = settle(home, others, progress)
        return Relocated(service.name, home.host, home.host, kept=kept, silent=silent)
    _require_movable(home, goal)
    moved = _as_moved(goal, goal.host)
    for target in (home, goal):
        ensure_base_images(target, [service], progress)
    with _both_locked(home, goal, progress) as (here, there):
        with ExitStack() as back:
            back.callback(settle_two, home, goal, progress)  # by what the file says then, which is the old host
            _arrive(goal, home.host)
            authority.prepare(moved, partial(progress.step, service.name))
            _start_closed(moved, there, progress)  # its router still leads to the old host
            for target in (moved, _as_moved(home, goal.host)):
                authority.follow(target)  # its router may become a peer of the others just now
            started = time.monotonic()
            verified = _carry_data(home, moved, (here, there), progress)
            _write_home(home, goal.host)
            back.pop_all()
        settle_two(moved, _as_moved(home, goal.host), progress)
    lead([_as_moved(target, goal.host) for target in others if target is not home])
    paused = round(time.monotonic() - started, 1)
    progress.step(service.name, f"moved to {goal.host}")
    return Relocated(service.name, home.host, goal.host, paused, verified, kept=(home.host,))


def from_backup(session: Session, home: Target, found: Snapshot) -> Relocated:
    """Bring a service up on the session's host with a snapshot of its dead home; return how that went.

    Raises:
        UsageError: when it cannot be moved; nothing was touched.
        CheckFailed: when the snapshot is damaged, or when the service does not pass its checks.
    """
    goal, service, progress = session.target, session.target.service, session.progress
    moved = _as_moved(goal, goal.host)
    _require_movable(home, goal, alive=False)
    _arrive(goal, home.host)
    result = bring_up(moved, progress, names=[service.name])
    if result.failures:
        raise SystemFailure(f"{service.name} {result.failures[0].failure}", hint="run the same command again")
    restored = restore(session, service, found.name, keep=False)
    _write_home(home, goal.host)
    authority.follow(moved)
    settle(moved, (), progress)
    verified = restored.verified
    return Relocated(service.name, home.host, goal.host, 0.0, verified, found.name, found.made, silent=(home.host,))


def newest_of(session: Session, service: str, host: str) -> Snapshot:
    """Return the newest backup that was made of a service on a host.

    Raises:
        CheckFailed: when the repositories have none.
    """
    made = [item for item in session.snapshots(service) if item.kind == BACKUP and item.host == host]
    if not made:
        hint = "a repository in a volume is lost with its host; see what there is: darkpeak snapshots"
        raise CheckFailed(f"the repositories have no backup of {service} from {host}", hint=hint)
    return max(made, key=lambda item: item.number)


def _arrive(goal: Target, source: str) -> None:
    """Write on the new host that nobody is led to the service there, before it is there."""
    name = goal.service.name
    known = store.find(goal.engine, MoveRecord, name)
    kept = bool(known and (known.stage == GONE or known.kept))
    store.write(goal.engine, MoveRecord(name, now(), ARRIVING, source, who(), kept))


def _start_closed(goal: Target, compose: Compose, progress: Progress) -> None:
    """Bring the service up on the new host, where nobody is led to it yet.

    Raises:
        SystemFailure: when it does not become healthy.
    """
    name = goal.service.name
    plan = plan_up(goal)
    result = carry_out(goal, compose, plan, "move", progress) if plan.changes else None
    failures = result.failures if result else ()
    if failures:
        raise SystemFailure(f"{name} was not moved: on {goal.host}, {failures[0].service} {failures[0].failure}")


def _carry_data(home: Target, goal: Target, composes: tuple[Compose, Compose], progress: Progress) -> str:
    """Close the old one, and give its data to the new one; return what scripts/verify printed there.

    Raises:
        DarkpeakError: when that fails; the caller opens the old one again.
    """
    service, (here, there) = home.service, composes
    _close(home, goal.host, progress)
    with TemporaryDirectory(prefix=f"darkpeak-move-{service.name}-") as folder:
        parts = Path(folder) / "parts"
        progress.step(service.name, "backing it up")
        ran = here.back_up(service, parts)
        if ran.code:
            raise _not_moved(service.name, f"its backup failed: {ran.last_line()}")
        must(here, home, "stop")
        progress.step(service.name, f"restoring it on {goal.host}")
        ran = there.script(goal.service, "restore", str(parts))
        if ran.code:
            raise _not_moved(service.name, f"on {goal.host}, its restore script failed: {ran.last_line()}")
    waited = there.call(goal.service, *make_start(goal.service))
    if waited.code:
        raise _not_moved(service.name, f"it did not become healthy on {goal.host}: {waited.last_line()}")
    progress.step(service.name, "verifying it")
    return verify(goal, goal.service)


def _close(home: Target, goal: str, progress: Progress) -> None:
    """Let nobody reach the old one any more: no new request, no request under way, and no open connection.

    Raises:
        SystemFailure: when it does not start again, without connections, so that it can be backed up.
    """
    service = home.service
    progress.step(service.name, "paused: members read a notice")
    notify(home, NOTICE)
    store.write(home.engine, MoveRecord(service.name, now(), GONE, goal, who()))
    routing.route(home.collective, home.engine, partial(progress.step, "routes"))
    ends = time.monotonic() + QUIET_SECONDS
    while routing.is_busy(home.collective, home.engine, service) and time.monotonic() < ends:
        time.sleep(0.1)
    must(home.compose, home, "restart")  # this ends WebSockets, streams, and what was asked past the router
    waited = home.compose.call(service, *make_start(service))
    if waited.code:
        raise _not_moved(service.name, f"it did not become healthy on {home.host}: {waited.last_line()}")


def _write_home(home: Target, host: str) -> None:
    """Write where the service lives now into collective.toml.

    Raises:
        UsageError: when that cannot be written; the file is as it was.
    """
    file = home.collective.root / COLLECTIVE_FILE
    try:
        replace_file(file, with_home(file.read_bytes().decode(), home.service.name, host).encode())
    except OSError as error:
        raise UsageError(
            f"{COLLECTIVE_FILE} cannot be written: {error.strerror}", hint="let your login write there"
        ) from error


def _require_movable(home: Target, goal: Target, *, alive: bool = True) -> None:
    """Check that a service can live on another host; nothing is touched.

    Raises:
        UsageError: when it cannot.
    """
    collective, service = home.collective, home.service
    require_plain((home.service, goal.service), "be moved")
    if not home.host:
        hint = f'write [hosts.NAME] with docker = "…" and services = ["{service.name}"] into {COLLECTIVE_FILE} first'
        raise UsageError(f"{service.name} lives on the default daemon, which has no name to go back to", hint=hint)
    moved = _as_moved(goal, goal.host).collective
    before, after = (place(item, item.services)[0].host for item in (collective, moved))
    if before and after and before.name != after.name:
        hint = f"write ca = true below [hosts.{before.name}] in {COLLECTIVE_FILE} first, so that it keeps its router"
        raise UsageError(f"{before.name} has the key of the collective's CA, and would have no service left", hint=hint)
    apart = next(iter(set(together(moved)) - set(together(collective))), None)
    if apart:
        raise UsageError(
            f"{apart.what}; nothing was moved", where=str(apart.at), hint="such services move only together"
        )
    for target in (home, goal) if alive else (goal,):
        require_ours(target.collective, target.engine, deploys=True)
    if alive and not home.engine.observe().of(service.project):
        raise UsageError(
            f"{service.name} does not run on {home.host}", hint=f"start it there: darkpeak up {service.name}"
        )


def _require_current(home: Target, others: Sequence[Target]) -> None:
    """Check that collective.toml knows of the last move, which may have been another admin's.

    Raises:
        UsageError: when the service has moved on; nothing was touched.
        SystemFailure: when its home does not answer.
    """
    name = home.service.name
    if home.engine.failure:
        what = f"{home.host}, where {name} lives, does not answer: {home.engine.failure.message}"
        raise SystemFailure(what, hint=f"if it is lost: darkpeak move {name} HOST --from-backup")
    record = store.find(home.engine, MoveRecord, name)
    if record is None or record.stage != GONE:
        return
    then = next((item for item in others if item.host == record.other), None)
    arriving = store.find(then.engine, MoveRecord, name) if then and not then.engine.failure else None
    if arriving is None or arriving.stage != ARRIVING:
        what = (
            f"{name} has moved to {record.other} ({record.who}, {record.when}), and {COLLECTIVE_FILE} does not say so"
        )
        raise UsageError(what + "; nothing was touched", hint="get their commit: git pull")


def _as_moved(target: Target, goal: str) -> Target:
    """Return a host in the collective as it is after the move."""
    hosts = tuple(_with_service(host, target.service.name, goal) for host in target.collective.hosts)
    return replace(target, collective=replace(target.collective, hosts=hosts))


def _with_service(host: Host, service: str, wanted: str) -> Host:
    rest = tuple(name for name in host.services if name != service)
    return replace(host, services=(*rest, *([service] if host.name == wanted else [])))


@contextmanager
def _both_locked(home: Target, goal: Target, progress: Progress) -> Iterator[tuple[Compose, Compose]]:
    """Lock a service on both hosts, in the order of their names, so that two moves never wait for each other."""
    with ExitStack() as stack:
        first, second = sorted((home, goal), key=lambda target: target.host)
        locked = {item.host: lock_services(stack, item, [item.service.name], progress) for item in (first, second)}
        yield locked[home.host], locked[goal.host]


def _not_moved(name: str, why: str) -> SystemFailure:
    return SystemFailure(f"{name} was not moved: {why}; it runs where it was", hint=f"see why: darkpeak logs {name}")
