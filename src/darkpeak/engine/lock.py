"""Locks on a daemon: two admins, wherever they are, cannot deploy one service at the same time.

A lock is a container with the lock's name, and the engine allows only one container with a name. The container runs
`cat` on a pipe that the deploying process and its tools keep open. When the last of them ends, however it ends, `cat`
ends too, and the engine removes the container. So a lock never outlives its holder, and no clocks are compared.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak import process
from darkpeak.caller import who
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.process import Child
from darkpeak.vocabulary import BASE_IMAGE

LABEL = "darkpeak.lock"
WHO_LABEL = "darkpeak.who"
SINCE_LABEL = "darkpeak.since"
PAUSE_SECONDS = 0.3
WAIT_SECONDS = 600
HELD = b"held\n"
# Locks of the router's tables and of a daemon's backups; no service can have these names.
ROUTES, BACKUPS = SHARED = ("_routes", "_backup")
# The engine's error (docker run, 20.10 to 28) if another container has the name.
TAKEN = re.compile(r"[Cc]onflict|already in use")


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and since when."""

    lock: str
    who: str
    since: str

    def age(self, now: datetime) -> str:
        """Return for how long it is held, in words."""
        try:
            seconds = int((now - datetime.fromisoformat(self.since)).total_seconds())
        except ValueError:
            return "an unknown time"
        return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 (two minutes)


def container_name(lock: str) -> str:
    """Return the name that only one container can have."""
    return f"darkpeak-lock-{lock}"


@contextmanager
def hold(engine: Engine, lock: str, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Hold a lock; yield the file descriptor that every tool must inherit that is started meanwhile.

    `on_wait` gets a message when somebody else holds the lock.

    Raises:
        SystemFailure: when somebody else still holds the lock after ten minutes, or when the engine fails.
    """
    with ExitStack() as stack:
        deadline, reported = time.monotonic() + WAIT_SECONDS, None
        while True:
            holding, complaint = _try(engine, lock, stack)
            if holding:
                break
            if not TAKEN.search(complaint):
                raise SystemFailure(f"{lock} cannot be locked: {complaint}")
            holder = find(engine, lock)
            if holder and holder != reported:
                reported = holder
                on_wait(f"locked by {holder.who}, for {holder.age(datetime.now(UTC))}; waiting")
            if time.monotonic() > deadline:
                by = f"{holder.who}, for {holder.age(datetime.now(UTC))}" if holder else "another deploy"
                raise SystemFailure(f"{lock} is locked by {by}", hint=f"ask them, or break it: darkpeak unlock {lock}")
            time.sleep(PAUSE_SECONDS)
        yield holding.stdin.fileno()


def make_argv(lock: str, since: str) -> tuple[str, ...]:
    """Return the command that holds a lock for as long as its standard input is open."""
    labels = {LABEL: lock, WHO_LABEL: who(), SINCE_LABEL: since}
    return (
        *("docker", "run", "--rm", "--interactive", "--pull=never", "--network=none", "--log-driver=none"),
        *(f"--name={container_name(lock)}", *(f"--label={key}={value}" for key, value in labels.items())),
        *(BASE_IMAGE, "cat"),
    )


def _try(engine: Engine, lock: str, stack: ExitStack) -> tuple[Child | None, str]:
    """Try once to take a lock; return the program that holds it until the stack ends, or None and the error."""
    argv = make_argv(lock, datetime.now(UTC).isoformat(timespec="seconds"))
    with ExitStack() as own:
        child = own.enter_context(process.talk(argv, environment=engine.environment))
        with suppress(BrokenPipeError):
            child.stdin.write(HELD)
            child.stdin.flush()
        if child.read_line() != HELD:
            return None, child.errors().last_line()
        stack.push(own.pop_all())
        return child, ""


def find(engine: Engine, lock: str) -> Holder | None:
    """Return who holds a lock, or None if it is not locked."""
    return next((holder for holder in list_all(engine) if holder.lock == lock), None)


def list_all(engine: Engine) -> list[Holder]:
    """Return the holders of all locks on an engine."""
    found = [item["Labels"] for item in engine.containers(LABEL)]
    holders = (Holder(item[LABEL], item.get(WHO_LABEL, "?"), item.get(SINCE_LABEL, "")) for item in found)
    return sorted(holders, key=lambda holder: holder.lock)


def break_it(engine: Engine, lock: str) -> None:
    """Break a lock; the deploy that holds it fails, or ends without its protection.

    Raises:
        SystemFailure: when the engine does not remove the lock.
    """
    result = engine.docker("rm", "--force", container_name(lock))
    if result.code:
        raise SystemFailure(f"{lock} was not unlocked: {result.last_line()}")
