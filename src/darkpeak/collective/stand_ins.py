"""Stand-ins: containers that answer for a service in its network, where others need it and it does not live. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.collective.hosts import homes_of, peers_of
from darkpeak.collective.model import Collective, Service


@dataclass(frozen=True)
class StandIn:
    """What answers on one host for a service that lives on another, in a network with that service's name for it."""

    service: str
    project: str
    host: str  # where it lives
    network: str  # its name on the engine
    key: str  # and in the service's compose file
    subnet: str
    ports: tuple[tuple[int, int], ...]  # in the network, and in the service's block
    users: tuple[str, ...]  # the services that need it here

    def __str__(self) -> str:
        return f"a stand-in for {self.service} (on {self.host})"


def find_stand_ins(collective: Collective, host: str) -> tuple[StandIn, ...]:
    """Return the stand-ins that services of a host need there, sorted."""
    homes = {name: home.name for name, home in homes_of(collective).items()}
    if host not in peers_of(collective):
        return ()
    found = (
        StandIn(
            other.name, other.project, homes[other.name], network, key, _subnet(other, network), other.offers, users
        )
        for other in sorted(collective.services, key=lambda item: item.name)
        if other.offers and homes.get(other.name, host) != host and homes[other.name] in peers_of(collective)
        for network, key in other.network_keys
        if (users := tuple(item.name for item in _joining(collective, network) if homes.get(item.name) == host))
    )
    return tuple(found)


def elsewhere(collective: Collective, service: Service) -> frozenset[str]:
    """Return the services on other hosts on which one of this host relies through a stand-in."""
    found = find_stand_ins(collective, collective.here) if collective.here else ()
    return frozenset(item.service for item in found if service.name in item.users)


def has_stand_in(collective: Collective, service: Service, other: str) -> bool:
    """Return whether a stand-in answers for another service where this one lives."""
    home = homes_of(collective).get(service.name)
    found = find_stand_ins(collective, home.name) if home else ()
    return any(item.service == other and service.name in item.users for item in found)


def wanted_by_others(collective: Collective, service: Service) -> bool:
    """Return whether another host needs a stand-in for this service."""
    hosts = {home.name for home in homes_of(collective).values()}
    return any(item.service == service.name for host in hosts for item in find_stand_ins(collective, host))


def _joining(collective: Collective, network: str) -> Iterator[Service]:
    for service in collective.services:
        if any(item.external and item.name == network for item in service.networks):
            yield service


def _subnet(service: Service, network: str) -> str:
    return dict(service.own_networks).get(network, "")
