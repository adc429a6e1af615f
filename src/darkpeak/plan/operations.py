"""What is done to a service, one value for each operation, in order. deploy/executor.py carries them out. Pure.

An operation knows everything that it needs: which containers it is about, and which of their instances exist now. What
is done when it fails stands in it as `otherwise`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class GoBack:
    """Return to the version before: the images' names mean it again, and what is new is removed."""

    images: tuple[tuple[str, str], ...]  # container, id of the image that ran before
    keep: tuple[str, ...] = ()  # ids of the instances that never stopped; other instances of these containers go
    restart: bool = False  # the version before was stopped, and is started again
    kind: Literal["go back"] = "go back"

    @property
    def containers(self) -> tuple[str, ...]:
        """The containers that go back."""
        return tuple(name for name, _ in self.images)


@dataclass(frozen=True)
class Build:
    """Build the images of containers whose files have changed."""

    containers: tuple[str, ...]
    kind: Literal["build"] = "build"


@dataclass(frozen=True)
class BackUp:
    """Save the service's data by its own script, into a folder here."""

    folder: Path
    kind: Literal["back up"] = "back up"


@dataclass(frozen=True)
class UseImages:
    """Let the images' names mean earlier images."""

    images: tuple[tuple[str, str], ...]  # container, image id
    kind: Literal["use images"] = "use images"


@dataclass(frozen=True)
class Start:
    """Start containers in their place, stopping what ran there, and wait until they are healthy."""

    containers: tuple[str, ...]  # empty: all of the service
    anew: bool = False  # even those that are as their files say
    otherwise: GoBack | None = None
    kind: Literal["start"] = "start"


@dataclass(frozen=True)
class StartBeside:
    """Start a new instance of a container beside those that serve now, and wait until it is healthy."""

    container: str
    beside: tuple[str, ...]  # ids of those that serve now
    otherwise: GoBack
    kind: Literal["start beside"] = "start beside"


@dataclass(frozen=True)
class Certify:
    """Have the collective's CA sign the certificate that a container keeps for itself."""

    container: str
    kind: Literal["certify"] = "certify"


@dataclass(frozen=True)
class Route:
    """Lead the router to what runs now, and prove it by a request to each changed name."""

    names: tuple[str, ...]  # of the service's routes; empty: whatever differs
    otherwise: tuple[GoBack, ...] = ()
    kind: Literal["route"] = "route"


@dataclass(frozen=True)
class Drain:
    """Wait for requests that chose the old instance just before the route changed."""

    seconds: float
    kind: Literal["drain"] = "drain"


@dataclass(frozen=True)
class Remove:
    """Remove instances of a container; a patient end lets them finish the requests that they have."""

    container: str
    ids: tuple[str, ...]
    cause: str
    patient: bool = True
    kind: Literal["remove"] = "remove"


Operation = Build | BackUp | UseImages | Start | StartBeside | Certify | Route | Drain | Remove
