"""Remove a service's network, so that compose makes it with its new subnet, and connect others to it again."""

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.plan.operations import ClearNetwork, JoinNetwork


def clear(engine: Engine, operation: ClearNetwork) -> None:
    """Stop the service's own containers, and remove the network.

    Raises:
        SystemFailure: when the engine does not remove it.
    """
    for identity in operation.stopped:
        engine.stop(identity)
    for identity in (*operation.stopped, *operation.others):
        engine.docker("network", "disconnect", "--force", operation.network, identity)
    removed = engine.docker("network", "rm", operation.network)
    if removed.code:
        what = f"the network {operation.network} was not removed: {removed.last_line()}"
        raise SystemFailure(what, hint="run the same command again")


def join(engine: Engine, operation: JoinNetwork) -> None:
    """Connect other services' containers to the network again, under the names that compose gave them.

    Raises:
        SystemFailure: when the engine does not connect one.
    """
    for identity, name in operation.others:
        joined = engine.docker("network", "connect", "--alias", name, operation.network, identity)
        if joined.code:
            what = f"{name} did not join the network {operation.network} again: {joined.last_line()}"
            raise SystemFailure(what, hint="start it again: darkpeak restart")
