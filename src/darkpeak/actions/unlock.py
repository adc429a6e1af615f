"""Break the lock of a deploy that hangs."""

from datetime import UTC, datetime

from darkpeak.actions.target import Target
from darkpeak.engine import lock
from darkpeak.engine.lock import Holder


def find_holder(target: Target) -> Holder | None:
    """Return who holds the lock of the target's service, or None if it is not locked."""
    return lock.find(target.engine, target.service.name)


def describe(holder: Holder) -> str:
    """Return who holds a lock and for how long, in words."""
    return f"{holder.who}, for {holder.age(datetime.now(UTC))}"


def break_lock(target: Target) -> None:
    """Break the lock of the target's service; the deploy that holds it fails, or ends without its protection.

    Raises:
        SystemFailure: when the engine does not remove the lock.
    """
    lock.break_it(target.engine, target.service.name)
