"""Ask services for packages that are out of date in their running containers."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak.actions.target import Target
from darkpeak.collective.model import Service
from darkpeak.errors import SystemFailure
from darkpeak.progress import Progress

UPDATES_SECONDS = 600.0  # each container downloads its lists of packages


@dataclass(frozen=True)
class ServiceUpdates:
    """What a service's own scripts/updates printed: a package a line."""

    service: str
    packages: tuple[str, ...]


def ask_one(target: Target, service: Service) -> ServiceUpdates:
    """Ask one service.

    Raises:
        SystemFailure: when its script fails, or does not end in time.
    """
    asked = target.compose.script(service, "updates", seconds=UPDATES_SECONDS)
    if asked.code:
        hint = "is it running? darkpeak status shows it"
        raise SystemFailure(f"the updates script of {service.name} failed: {asked.last_line()}", hint=hint)
    return ServiceUpdates(service.name, tuple(asked.text.splitlines()))


def ask_updates(targets: Sequence[Target], progress: Progress) -> list[ServiceUpdates]:
    """Ask every service of the targets.

    Raises:
        SystemFailure: when one cannot be asked.
    """
    found = []
    for target in targets:
        for service in target.running:
            progress.step(service.name, "asking for updates")
            found.append(ask_one(target, service))
    return found
