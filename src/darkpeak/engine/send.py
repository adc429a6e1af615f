"""Send images from one engine to another: once, and only those that are not there yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak import process
from darkpeak.collective.model import Service
from darkpeak.engine.base import suites_of
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure


@dataclass(frozen=True)
class Sending:
    """What of some services' images goes over, what is there already, and what is not here either."""

    sent: tuple[str, ...]
    there: tuple[str, ...]
    not_here: tuple[str, ...]


def make_sending(services: Sequence[Service], here: Engine, there: Engine) -> Sending:
    """Return what is to be sent: images built from the files as they are, and the base image."""
    bases = [f"debian:{suite}" for suite in suites_of(services)]
    containers = [container for service in services for container in service.containers if container.build]
    arrived = [name for name in bases if there.has_image(name)]
    arrived += [container.image for container in containers if there.has_build_of(container)]
    held = [name for name in bases if here.has_image(name)]
    held += [container.image for container in containers if here.has_build_of(container)]
    every = (*bases, *(container.image for container in containers))
    return Sending(
        sent=tuple(name for name in every if name in held and name not in arrived),
        there=tuple(arrived),
        not_here=tuple(name for name in every if name not in held and name not in arrived),
    )


def send(names: Sequence[str], here: Engine, there: Engine) -> None:
    """Send images, all in one stream, so that what they share goes over once.

    Raises:
        SystemFailure: when one of the two engines refuses.
    """
    saved, loaded = process.pipe(
        ("docker", "save", *names),
        ("docker", "load", "--quiet"),
        source_environment=here.environment,
        target_environment=there.environment,
    )
    if saved.code or loaded.code:
        why = loaded.last_line() if loaded.stderr.strip() else saved.last_line()
        raise SystemFailure(f"the images did not arrive: {why}", hint="run the same command again")
