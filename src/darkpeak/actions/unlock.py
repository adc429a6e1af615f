"""Break the lock of a deploy that hangs."""

from datetime import UTC, datetime

from darkpeak.engine import lock
from darkpeak.engine.engine import Engine
from darkpeak.engine.lock import Holder


def find_holder(engine: Engine, name: str) -> Holder | None:
    """Return who holds the lock with this name, or None if nobody does."""
    return lock.find(engine, name)


def describe(holder: Holder) -> str:
    """Return who holds a lock and for how long, in words."""
    return f"{holder.who}, for {holder.age(datetime.now(UTC))}"


def break_lock(engine: Engine, name: str) -> None:
    """Break a lock; the command that holds it fails, or ends without its protection.

    Raises:
        SystemFailure: when the engine does not remove the lock.
    """
    lock.break_it(engine, name)
