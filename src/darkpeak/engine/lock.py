"""Locks on a daemon: two admins, wherever they are, don't deploy one service at once.

A lock is a container with the lock's name, which the engine gives to one only. It runs `cat` on a pipe that the
deploying process and the tools it starts hold open: when the last of them ends, however it ends, so does `cat`, and
the engine removes the container. So a lock never outlives its owner, and no clock is compared with another.
"""

import getpass
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure

LABEL = "darkpeak.lock"
WHO_LABEL = "darkpeak.who"
SINCE_LABEL = "darkpeak.since"
PAUSE_SECONDS = 0.3
PATIENCE_SECONDS = 600
IMAGE = "debian:trixie"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and since when."""

    lock: str
    who: str
    since: str

    def age(self, now: datetime) -> str:
        """Return for how long it is held."""
        try:
            seconds = int((now - datetime.fromisoformat(self.since)).total_seconds())
        except ValueError:
            return "an unknown time"
        return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 (two minutes)


def who() -> str:
    """Return who runs this: the login and the machine."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return socket.gethostname()


def container_name(lock: str) -> str:
    """Return the name that only one container can have."""
    return f"darkpeak-lock-{lock}"


@contextmanager
def hold(engine: Engine, lock: str, waiting: Callable[[str], None]) -> Iterator[int]:
    """Hold a lock; gives the file descriptor that tools started meanwhile must inherit.

    Raises:
        SystemFailure: when somebody else still holds it after ten minutes, or the engine fails.
    """
    process = _acquire(engine, lock, waiting)
    assert process.stdin  # noqa: S101 (a pipe, for the type checker)
    try:
        yield process.stdin.fileno()
    finally:
        process.stdin.close()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _acquire(engine: Engine, lock: str, waiting: Callable[[str], None]) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = None
    while True:
        process, complaint = _try(engine, lock)
        if process:
            return process
        if "onflict" not in complaint and "already in use" not in complaint:
            raise SystemFailure(f"{lock} cannot be locked: {complaint}")
        holder = find(engine, lock)
        if holder and holder != told:
            told = holder
            waiting(f"waits for {holder.who}, who holds it for {holder.age(datetime.now(UTC))}")
        if time.monotonic() > deadline:
            held = f"{holder.who} for {holder.age(datetime.now(UTC))}" if holder else "somebody"
            raise SystemFailure(f"{lock} is held by {held}", hint=f"ask them, or darkpeak unlock {lock}")
        time.sleep(PAUSE_SECONDS)


def make_argv(lock: str, since: str) -> tuple[str, ...]:
    """Return the command that holds a lock for as long as its standard input is open."""
    labels = {LABEL: lock, WHO_LABEL: who(), SINCE_LABEL: since}
    return (
        *("docker", "run", "--rm", "--interactive", "--pull=never", "--network=none", "--log-driver=none"),
        *(f"--name={container_name(lock)}", *(f"--label={key}={value}" for key, value in labels.items())),
        *(IMAGE, "cat"),
    )


def _try(engine: Engine, lock: str) -> tuple[subprocess.Popen[bytes] | None, str]:
    """Try once; return the process that holds the lock, or what the engine said against it."""
    pipe = subprocess.PIPE
    argv = make_argv(lock, datetime.now(UTC).isoformat(timespec="seconds"))
    # Its own session: Ctrl-C must end the deploy, whose end then ends the lock.
    process = subprocess.Popen(
        argv, env=engine.environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 (pipes, for the type checker)
    try:
        process.stdin.write(b"held\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = b""
    if answer == b"held\n":
        process.stderr.close()
        return process, ""
    complaint = process.stderr.read().decode(errors="replace").strip()
    for stream in (process.stdin, process.stdout, process.stderr):
        try:
            stream.close()
        except BrokenPipeError:
            continue
    process.wait()
    return None, complaint


def find(engine: Engine, lock: str) -> Holder | None:
    """Return who holds a lock, if anybody does."""
    return next((holder for holder in list_all(engine) if holder.lock == lock), None)


def list_all(engine: Engine) -> list[Holder]:
    """Return all locks that are held on an engine."""
    found = engine.client.api.containers(all=True, filters={"label": [LABEL]})
    labels = [item["Labels"] for item in found]
    holders = (Holder(item[LABEL], item.get(WHO_LABEL, "?"), item.get(SINCE_LABEL, "")) for item in labels)
    return sorted(holders, key=lambda holder: holder.lock)


def break_it(engine: Engine, lock: str) -> None:
    """Take a lock from its holder, whose deploy then fails or ends unprotected."""
    result = engine.docker("rm", "--force", container_name(lock))
    if result.code:
        raise SystemFailure(f"{lock} was not unlocked: {result.complaint()}")
