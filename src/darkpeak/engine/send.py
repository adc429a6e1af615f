"""Send images from one engine to another, except those that it already has."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak import process
from darkpeak.collective.model import Service
from darkpeak.engine.base import suites_of
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure


@dataclass(frozen=True)
class Sending:
    """The images of services: those to send, those already there, and those that are missing here."""

    sent: tuple[str, ...]
    there: tuple[str, ...]
    not_here: tuple[str, ...]


def make_sending(services: Sequence[Service], here: Engine, there: Engine) -> Sending:
    """Return which images are to be sent: those built from the files as they are now, and the base images."""
    bases = [f"debian:{suite}" for suite in suites_of(services)]
    containers = [container for service in services for container in service.containers if container.build]
    arrived = [name for name in bases if there.has_image(name)]
    arrived += [container.image for container in containers if there.has_build_of(container)]
    ready = [name for name in bases if here.has_image(name)]
    ready += [container.image for container in containers if here.has_build_of(container)]
    every = (*bases, *(container.image for container in containers))
    return Sending(
        sent=tuple(name for name in every if name in ready and name not in arrived),
        there=tuple(arrived),
        not_here=tuple(name for name in every if name not in ready and name not in arrived),
    )


def send(names: Sequence[str], here: Engine, there: Engine) -> None:
    """Send images in one stream, so that layers that they share are sent once.

    Raises:
        SystemFailure: when one of the two engines fails.
    """
    saved, loaded = process.pipe(
        ("docker", "save", *names),
        ("docker", "load", "--quiet"),
        source_environment=here.environment,
        target_environment=there.environment,
    )
    if saved.code or loaded.code:
        why = loaded.last_line() if loaded.stderr.strip() else saved.last_line()
        raise SystemFailure(f"the images were not sent: {why}", hint="run the same command again")
