"""Break the lock of a deploy that hangs."""

from datetime import UTC, datetime

from darkpeak.actions.target import Target
from darkpeak.engine import lock
from darkpeak.engine.lock import Holder


def find_holder(target: Target) -> Holder | None:
    """Return who holds the lock of the target's service, None where it is not locked."""
    return lock.find(target.engine, target.service.name)


def describe(holder: Holder) -> str:
    """Return who holds a lock and for how long."""
    return f"{holder.who}, for {holder.age(datetime.now(UTC))}"


def break_lock(target: Target) -> None:
    """Take the lock from its holder, whose deploy then fails or ends unprotected.

    Raises:
        SystemFailure: when the engine does not remove it.
    """
    lock.break_it(target.engine, target.service.name)
