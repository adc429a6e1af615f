"""The Debian base images that services are built from, on every engine that needs them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from darkpeak.deploy.target import Target
from darkpeak.engine import base


@dataclass(frozen=True)
class BaseImage:
    """A base image on an engine."""

    image: str
    made: bool  # pulled or built now; else it was already there


def ensure_bases(target: Target, on_step: Callable[[str], None], *, rebuild: bool) -> Iterator[BaseImage]:
    """Pull or build the base images of the target's services: those that are missing, or (rebuild) all.

    Raises:
        SystemFailure: when an image can be neither pulled nor built.
    """
    for suite in base.suites_of(target.services):
        yield BaseImage(f"debian:{suite}", base.ensure(target.engine, suite, on_step, rebuild=rebuild))
