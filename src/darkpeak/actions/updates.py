"""Find outdated packages in the running containers of services."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.errors import DarkpeakError, SystemFailure
from darkpeak.progress import Progress

UPDATES_SECONDS = 600.0  # each container downloads its package lists


@dataclass(frozen=True)
class ServiceUpdates:
    """The lines that a service's own scripts/updates printed: one for each outdated package."""

    service: str
    packages: tuple[str, ...] = ()
    error: DarkpeakError | None = None  # why they are unknown


def find_updates_of(target: Target, service: Service) -> ServiceUpdates:
    """Return the outdated packages of one service.

    Raises:
        SystemFailure: when its script fails, or when it does not end in time.
    """
    ran = target.compose.script(service, "updates", seconds=UPDATES_SECONDS)
    if ran.code:
        hint = f"check whether it runs: darkpeak status {service.name}"
        raise SystemFailure(f"the updates script of {service.name} failed: {ran.last_line()}", hint=hint)
    return ServiceUpdates(service.name, tuple(ran.text.splitlines()))


def find_updates(targets: Sequence[Target], progress: Progress) -> list[ServiceUpdates]:
    """Return the outdated packages of each service of the targets; the failure of one is in its result."""
    found = []
    for target in targets:
        for service in target.running:
            progress.step(service.name, "checking for updates")
            try:
                found.append(find_updates_of(target, service))
            except DarkpeakError as error:
                found.append(ServiceUpdates(service.name, error=error))
    return found
