"""The operations of a plan, as values. deploy/executor.py carries them out in order. Pure.

An operation has everything that it needs: its containers, and their instances that exist now. `otherwise` is what is
done when it fails.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from darkpeak.collective.stand_ins import StandIn


@dataclass(frozen=True)
class GoBack:
    """Go back to the version before: tag its images again, and remove the new instances."""

    images: tuple[tuple[str, str], ...]  # container, id of the image that ran before
    keep: tuple[str, ...] = ()  # ids of the instances that never stopped; the others are removed
    restart: bool = False  # the version before was stopped, and must be started again
    kind: Literal["go back"] = "go back"

    @property
    def containers(self) -> tuple[str, ...]:
        """The containers that go back."""
        return tuple(name for name, _ in self.images)


@dataclass(frozen=True)
class Build:
    """Build the images of containers whose files have changed, or (`fresh`) whose packages are out of date."""

    containers: tuple[str, ...]
    fresh: bool = False  # without the cache, so that each package is the newest
    kind: Literal["build"] = "build"


@dataclass(frozen=True)
class BackUp:
    """Save the service's data into a folder of this machine, with its own script."""

    folder: Path
    kind: Literal["back up"] = "back up"


@dataclass(frozen=True)
class UseImages:
    """Tag earlier images with the names that compose uses."""

    images: tuple[tuple[str, str], ...]  # container, image id
    kind: Literal["use images"] = "use images"


@dataclass(frozen=True)
class MakeClient:
    """Make the service a client of the login page, and write what it needs into its volume."""

    kind: Literal["make client"] = "make client"


@dataclass(frozen=True)
class Start:
    """Start containers in the place of the old ones, which are stopped, and wait until they are healthy."""

    containers: tuple[str, ...]  # empty: all of the service
    anew: bool = False  # recreate even those that match their files
    ending: bool = False  # they are meant to end; wait for that
    otherwise: GoBack | None = None
    create: bool = False  # first create them, while compose sees the others that they depend on
    needs: tuple[str, ...] = ()  # those of the others that run; they stay as they are
    kind: Literal["start"] = "start"


@dataclass(frozen=True)
class StartBeside:
    """Start a new instance of a container beside those that serve now, and wait until it is healthy."""

    container: str
    beside: tuple[str, ...]  # ids of those that serve now
    otherwise: GoBack
    needs: tuple[str, ...] = ()  # other containers that it depends on; they stay as they are
    kind: Literal["start beside"] = "start beside"


@dataclass(frozen=True)
class Represent:
    """Have a stand-in answer for a service that lives on another host, where this one looks for it."""

    stand_in: StandIn
    kind: Literal["represent"] = "represent"


@dataclass(frozen=True)
class ClearNetwork:
    """Stop a service's containers and remove its network, so that compose makes it with its new subnet."""

    network: str
    stopped: tuple[str, ...]  # ids of the service's own containers
    others: tuple[str, ...]  # ids of other services' containers, which join it again later
    kind: Literal["clear network"] = "clear network"


@dataclass(frozen=True)
class JoinNetwork:
    """Connect other services' containers to a network that was made again."""

    network: str
    others: tuple[tuple[str, str], ...]  # id, name in the compose file
    kind: Literal["join network"] = "join network"


@dataclass(frozen=True)
class DeployStack:
    """Give the service to the swarm, wait for it, and see that its door leads there."""

    otherwise: GoBack  # the images that ran before; the swarm itself goes back
    kind: Literal["deploy stack"] = "deploy stack"


@dataclass(frozen=True)
class Certify:
    """Have the collective's CA sign the certificate of a container."""

    container: str
    kind: Literal["certify"] = "certify"


@dataclass(frozen=True)
class Route:
    """Change the router's routes to what runs now, and verify each changed name with a request."""

    names: tuple[str, ...]  # of the service's routes; empty: all that differ
    otherwise: tuple[GoBack, ...] = ()
    kind: Literal["route"] = "route"


@dataclass(frozen=True)
class Drain:
    """Wait for requests that were sent to the old instance just before the route changed.

    With `early` it ends when the router waits for no answer of the service: that is known of http routes only.
    """

    seconds: float
    early: bool = False
    kind: Literal["drain"] = "drain"


@dataclass(frozen=True)
class Remove:
    """Remove instances of a container; if `patient`, they may first finish their requests."""

    container: str
    ids: tuple[str, ...]
    cause: str
    patient: bool = True
    kind: Literal["remove"] = "remove"


Operation = (
    Build
    | BackUp
    | UseImages
    | MakeClient
    | Represent
    | ClearNetwork
    | Start
    | StartBeside
    | DeployStack
    | JoinNetwork
    | Certify
    | Route
    | Drain
    | Remove
)
