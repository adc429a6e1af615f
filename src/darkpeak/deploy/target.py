"""The engines on which a command acts, each with its services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from darkpeak.collective.hosts import find_host, place
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.settings import Host
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine
from darkpeak.errors import UsageError


@dataclass(frozen=True)
class Target:
    """One engine, which connects at its first use, and the services that run on it."""

    collective: Collective  # as it is on that host
    engine: Engine
    services: tuple[Service, ...]
    host: str = ""  # its name in [hosts]; empty for the engine of --host, DOCKER_HOST or the docker context

    @cached_property
    def compose(self) -> Compose:
        """Compose on that engine."""
        return Compose(self.engine, self.collective.variables)

    @property
    def running(self) -> tuple[Service, ...]:
        """The services with containers; an idea has none."""
        return tuple(service for service in self.services if service.runs)

    def only(self, service: Service) -> "Target":
        """Return the same engine with this service only."""
        return replace(self, services=(service,))

    @property
    def service(self) -> Service:
        """The first service, for commands about one service."""
        return self.services[0]


def living(targets: Sequence[Target]) -> list[Target]:
    """Return the targets whose engines answered; all of them if none did, so that the first use says why."""
    return [target for target in targets if not target.engine.failure] or list(targets)


def choose(collective: Collective, names: Sequence[str]) -> list[Service]:
    """Return the named services, or all of them.

    Raises:
        UsageError: for a name that no service has, or whose files cannot be read.
    """
    known = {service.name: service for service in collective.services}
    for name in names:
        if name not in known:
            require_read(collective, name)
            raise UsageError(f"there is no service {name}", hint=f"the services are: {', '.join(sorted(known))}")
    return [known[name] for name in names] if names else list(collective.services)


def require_plain(services: Sequence[Service], what: str) -> None:
    """Refuse what does not work yet with a service that runs as a stack.

    Raises:
        UsageError: for the first one.
    """
    for service in services:
        if service.stacked:
            hint = "back it up, take it down, change the files, bring it up, restore it"
            raise UsageError(f"{service.name} runs on a swarm, and cannot {what} there", hint=hint)


def require_read(collective: Collective, name: str) -> None:
    """Raise an error if the files of a service cannot be read.

    Raises:
        UsageError: with the first finding because of which they cannot.
    """
    for finding in sorted(item for item in collective.unread if item.at.service == name):
        raise UsageError(f"{name} cannot be read: {finding.what}", where=str(finding.at), hint=finding.hint)


def find_targets(
    collective: Collective, names: Sequence[str], wanted: str | None, environment: Mapping[str, str]
) -> list[Target]:
    """Return the engines on which the named services run, or all services; with a `wanted` host, only that one.

    Raises:
        UsageError: for a name that no service has.
    """
    services = choose(collective, names)
    if wanted:
        host = find_host(collective.hosts, wanted)
        here = services if names or not host else [item for item in services if host.takes(item.name)]
        return [Target(collective, _engine(host, wanted), tuple(here), host.name if host else "")]
    targets = []
    for placed in place(collective, services):
        name = placed.host.name if placed.host else ""
        there = on_host(collective, name or environment.get("DOCKER_HOST"))
        chosen = {service.name for service in placed.services}
        here = [service for service in there.services if service.name in chosen]
        targets.append(Target(there, _engine(placed.host), tuple(here), name))
    return targets


def _engine(host: Host | None, uri: str | None = None) -> Engine:
    return Engine(host.docker, swarm=host.swarm) if host else Engine(uri)


def on_host(collective: Collective, wanted: str | None) -> Collective:
    """Return the collective as it is on a host, by the host's name or URI; unchanged if there is no such host."""
    host = find_host(collective.hosts, wanted) if wanted else None
    return collective.on(host.name) if host else collective
