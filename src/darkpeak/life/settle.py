"""Make a service run where collective.toml says that it lives, and nowhere else: the end of each move, and its undoing.

A record on a host (`MoveRecord`) keeps its router from leading anybody to a copy that has not its data yet, or not any
more.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from darkpeak.actions.ready import make_start
from darkpeak.actions.up import ensure_base_images, lock_services
from darkpeak.caller import who
from darkpeak.deploy import routing, stand_ins
from darkpeak.deploy.target import Target
from darkpeak.engine.compose import Compose
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.moves import ARRIVING, GONE, MoveRecord
from darkpeak.evidence.record import now
from darkpeak.progress import Progress
from darkpeak.router.control import Notice

NOTICE = Notice(10, "This service moves to another machine. It is back in a few minutes.")


def settle(home: Target, others: Sequence[Target], progress: Progress) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make a service run at its home, and nowhere else; return where it is kept, and which hosts could not be asked.

    Raises:
        SystemFailure: when it does not run, or does not answer.
    """
    kept, silent = [], []
    for target in others:
        if target.engine.failure:
            silent.append(target.host)
            continue
        ensure_base_images(target, [], progress)
        with ExitStack() as stack:
            compose = lock_services(stack, target, [home.service.name], progress)
            kept += [target.host] if _close_other(target, compose, home.host, progress) else []
    _open_home(home, progress)
    for target in others:
        if target.host not in silent:
            _reopen(target, progress)
    return tuple(kept), tuple(silent)


def settle_two(home: Target, other: Target, progress: Progress) -> None:
    """Do the same for the two hosts of a move, whose locks we have."""
    _close_other(other, other.compose, home.host, progress)
    _open_home(home, progress)
    _reopen(other, progress)


def finish(home: Target, others: Sequence[Target], progress: Progress) -> tuple[str, ...]:
    """Remove the copies, with their data, that moves have left on other hosts; return these hosts.

    Raises:
        SystemFailure: when one is not removed; the same command goes on.
    """
    name, done = home.service.name, []
    for target in others:
        record = None if target.engine.failure else store.find(target.engine, MoveRecord, name)
        if record is None or record.stage != GONE:
            continue
        ensure_base_images(target, [], progress)
        with ExitStack() as stack:
            compose = lock_services(stack, target, [name], progress)
            progress.step(name, f"removing it from {target.host}")
            must(compose, target, "down", "--remove-orphans", "--volumes")
        store.remove(target.engine, MoveRecord, name)
        routing.route(target.collective, target.engine, partial(progress.step, "routes"))
        stand_ins.follow(target.collective, target.engine)
        done.append(target.host)
    return tuple(done)


def _close_other(target: Target, compose: Compose, home: str, progress: Progress) -> bool:
    """Stop the copy of a service that does not live here; return whether one is kept.

    One that has just arrived has no data of its own, so it is removed.
    """
    name = target.service.name
    record = store.find(target.engine, MoveRecord, name)
    found = target.engine.observe().of(target.service.project)
    if record and record.stage == ARRIVING and not record.kept:
        progress.step(name, f"removing what has begun on {target.host}")
        must(compose, target, "down", "--remove-orphans", "--volumes")
        store.remove(target.engine, MoveRecord, name)
        return False
    if not found and record is None:
        return False
    if any(item.state == "running" for item in found):
        progress.step(name, f"stopping it on {target.host}")
        must(compose, target, "stop")
    if record is None or record.stage != GONE or record.other != home:
        store.write(target.engine, MoveRecord(name, now(), GONE, home, who()))
    return True


def _open_home(home: Target, progress: Progress) -> None:
    """Start a service where it lives, and have its router lead there.

    Raises:
        SystemFailure: when it does not run, or does not answer.
    """
    service = home.service
    stand_ins.follow(home.collective, home.engine)
    if home.engine.observe().of(service.project):
        started = home.compose.call(service, *make_start(service))
        if started.code:
            hint = f"see why: darkpeak logs {service.name}"
            raise SystemFailure(f"{service.name} does not start: {started.last_line()}", hint=hint)
    store.remove(home.engine, MoveRecord, service.name)
    routing.require_answer(home.collective, home.engine, service, partial(progress.step, service.name))
    if not service.routes.http:
        routing.route(home.collective, home.engine, partial(progress.step, "routes"))
    notify(home, None)


def _reopen(target: Target, progress: Progress) -> None:
    stand_ins.follow(target.collective, target.engine)
    routing.route(target.collective, target.engine, partial(progress.step, "routes"))
    notify(target, None)


def notify(target: Target, notice: Notice | None) -> None:
    """Show the notice of the move at each of its names, or end that; another notice stays."""
    router = routing.find_router(target.collective, target.engine, target.engine.observe())
    labels = [route.label for route in target.service.routes.http]
    known = router.notices() if router and labels else {}
    for label in labels if router else []:
        if router and (label not in known if notice else known.get(label) == NOTICE):
            router.set_notice(label, notice)


def must(compose: Compose, target: Target, *words: str) -> None:
    """Run compose for the target's service.

    Raises:
        SystemFailure: when it fails.
    """
    done = compose.call(target.service, *words)
    if done.code:
        what = f"`docker compose {words[0]}` of {target.service.name} failed on {target.host}: {done.last_line()}"
        raise SystemFailure(what, hint="run the same command again")
