"""Networks whose subnet in the files is another one than on the engine, as after a move to another block. Pure."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from darkpeak.collective.model import Service
from darkpeak.plan.observed import Observed


@dataclass(frozen=True)
class Moved:
    """A network that must be made again, with what is connected to it now."""

    name: str
    subnet: str  # in the files
    own: tuple[str, ...]  # ids of the service's containers
    others: tuple[tuple[str, str], ...]  # ids of other services' containers, and their names in the compose file


def find_moved(service: Service, observed: Observed) -> tuple[Moved, ...]:
    """Return the service's networks in which a container has an address outside the subnet that the files set."""
    found = []
    for name, subnet in service.own_networks:
        joined = [(item, address) for item in observed.containers for on, address in item.addresses if on == name]
        if subnet and any(not _inside(address, subnet) for _, address in joined):
            own = tuple(item.id for item, _ in joined if item.project == service.project)
            others = tuple((item.id, item.container) for item, _ in joined if item.project != service.project)
            found.append(Moved(name, subnet, own, others))
    return tuple(found)


def _inside(address: str, subnet: str) -> bool:
    try:
        return ip_address(address) in ip_network(subnet, strict=False)
    except ValueError:  # the subnet is not written as one: lint and compose say that
        return True
