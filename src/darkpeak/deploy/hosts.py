"""Hosts that may be dead: they are connected to side by side, and what fails on one is done on the others.

What failed is kept in a table for the whole command, by host, so that nobody waits for the same host twice.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from darkpeak import trace
from darkpeak.deploy.target import Target
from darkpeak.engine.heartbeat import watched
from darkpeak.engine.ssh import MustAsk
from darkpeak.errors import DarkpeakError, HostFailure, HostsFailed, SystemFailure, UsageError
from darkpeak.threads import at_once

CONNECT_SECONDS = 45.0  # ssh's login (20 s), the first answer (20 s), and why there is none
LOOK_SECONDS = 600.0  # for what only looks, at a host that answers; each request has a deadline of its own

Failures = MutableMapping[str, HostFailure]
R = TypeVar("R")
Collected = tuple[list[R], DarkpeakError | None]


def name_of(target: Target) -> str:
    """Return what to call a target's host: its name in [hosts], else the daemon's."""
    return target.host or target.engine.name


def connect(targets: Sequence[Target], failures: Failures) -> None:
    """Connect to several engines at the same time; what does not answer is added to the failures.

    Each use of such an engine fails at once. A single engine is left to its first use, which says why it fails. Where
    ssh must ask for a passphrase, it asks for one host after the other.
    """
    if len(targets) == 1:
        return
    for target in targets:
        target.engine.asks = False
        known = failures.get(name_of(target))
        target.engine.failure = SystemFailure(str(known), hint=known.hint) if known and not known.answers else None
    new = [target for target in targets if not target.engine.failure]
    found = at_once(lambda target: target.engine.answer(), new, seconds=CONNECT_SECONDS, late=_late)
    for target, silence in zip(new, found, strict=True):
        error = _ask(target) if isinstance(silence, MustAsk) and sys.stdin.isatty() else silence
        if error:
            _fail(target, error, failures, answers=False)
        else:
            _answered(target)


def each(
    targets: Sequence[Target], act: Callable[[Target], Iterable[R]], failures: Failures, *, side_by_side: bool = False
) -> list[R]:
    """Call `act` with each target that answers, one by one or all at once; return all that it yields, in their order.

    Where it fails is added to the failures; what it has yielded there before counts. The error of a single target is
    raised.

    Raises:
        UsageError: when `act` raises it: then the files or the call are wrong, and not a host.
        HostsFailed: when it fails everywhere.
    """
    if len(targets) == 1:
        return list(act(targets[0]))
    results = list[R]()
    errors: list[DarkpeakError] = [target.engine.failure for target in targets if target.engine.failure]
    answering = [target for target in targets if not target.engine.failure]
    for target, (found, error) in _calls(act, answering, side_by_side=side_by_side):
        results += found
        if isinstance(error, UsageError):
            raise error
        # What works reports the failure of a service, and goes on: so the engine is asked whether it is still there.
        silence = _silence(target) if error or not side_by_side else None
        why = silence or error
        if why:
            errors.append(why)
            _fail(target, why, failures, answers=not silence)
    if errors and len(errors) == len(targets) and not results:
        everywhere = HostsFailed(list(failures.values()), done=False)
        everywhere.exit_code = max(error.exit_code for error in errors)
        raise everywhere
    return results


def _calls(
    act: Callable[[Target], Iterable[R]], targets: Sequence[Target], *, side_by_side: bool
) -> Iterator[tuple[Target, Collected[R]]]:
    if not side_by_side:
        yield from ((target, _collect(act, target)) for target in targets)
        return
    found = at_once(lambda target: _collect(act, target), targets, seconds=LOOK_SECONDS, late=_late)
    for target, done in zip(targets, found, strict=True):
        yield target, ([], done) if isinstance(done, DarkpeakError) else done


def _collect(act: Callable[[Target], Iterable[R]], target: Target) -> Collected[R]:
    """Return all that `act` yields for a target, and the error with which it ended, if it did."""
    found: list[R] = []
    try:
        with watched(target.engine):
            for item in act(target):
                found.append(item)  # noqa: PERF402 (what comes before an error stays)
    except DarkpeakError as error:
        return found, error
    return found, None


def _ask(target: Target) -> DarkpeakError | None:
    """Connect once more, where ssh may ask a person; return why the engine does not answer."""
    target.engine.asks = True
    return _silence(target)


def _late(target: Target) -> DarkpeakError:
    return SystemFailure(f"no answer from {target.engine.name} in time")


def _fail(target: Target, error: DarkpeakError, failures: Failures, *, answers: bool) -> None:
    """Add a failure, unless the host has one; an engine that does not answer is not asked again."""
    host = name_of(target)
    if host not in failures:
        names, last = tuple(service.name for service in target.services), _last_answer(target)
        failures[host] = HostFailure(host, names, answers, last, error.message, error.hint)
    if not answers:
        target.engine.failure = SystemFailure(str(failures[host]), hint=error.hint)


def _silence(target: Target) -> DarkpeakError | None:
    """Return why an engine does not answer; None if it answers."""
    try:
        target.engine.answer()
    except DarkpeakError as error:
        return error
    return None


def _answered(target: Target) -> None:
    """Remember that a host has answered now, for the line that says since when it does not."""
    with suppress(OSError):
        path = _mark(target)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch()


def _last_answer(target: Target) -> str:
    try:
        seconds = _mark(target).stat().st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _mark(target: Target) -> Path:
    """Return the empty file of this machine whose time is that of a host's last answer."""
    uri = re.sub(r"[^\w.@-]+", "-", target.engine.host or os.environ.get("DOCKER_HOST") or "default")
    return trace.folder().parent / "answered" / uri
