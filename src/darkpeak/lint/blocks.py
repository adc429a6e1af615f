"""Rules about blocks: ten ports and a subnet for each service."""

from collections.abc import Iterator
from ipaddress import ip_address

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import BLOCK_SIZE, BLOCKS, LOOPBACK, block_of, ports_of, subnet_of


def block_number(service: Service) -> Iterator[Finding]:
    """A block is one of 6000, 6010 … 6990, so that a port number shows the service."""
    if service.block is None or service.block in BLOCKS:
        return
    below = block_of(service.block)
    hint = f"use a free multiple of ten from {BLOCKS[0]} to {BLOCKS[-1]}" + (f", like {below}" * (below in BLOCKS))
    what = f"block {service.block} is not a multiple of ten" if service.block % BLOCK_SIZE else "there is no such block"
    yield Finding(service.key("block"), "block-number", what, hint)


def one_block_each(collective: Collective) -> Iterator[Finding]:
    """Two services do not share a block, since they would use the same ports."""
    taken: dict[int, str] = {}
    for service in collective.services:
        if service.block is None:
            continue
        first = taken.setdefault(service.block, service.name)
        if first != service.name:
            used = {other.block for other in collective.services}
            free = next((block for block in BLOCKS[1:] if block not in used), None)
            what = f"block {service.block} already belongs to {first}"
            yield Finding(service.key("block"), "block-taken", what, f"use {free}" if free else "no block is free")


def one_project_each(collective: Collective) -> Iterator[Finding]:
    """Each service has its own project name, since compose has no other way to tell services apart."""
    taken: dict[str, str] = {}
    for service in collective.services:
        first = taken.setdefault(service.project, service.name)
        if first != service.name:
            what = f"the project name {service.project} already belongs to {first}"
            yield Finding(service.at, "project-taken", what, f"write name: darkpeak-{service.name} at the top")


def project_name(service: Service) -> Iterator[Finding]:
    """A project's name shows that it is one of ours; another program's project would be taken for this service."""
    if service.runs and not service.project.startswith("darkpeak-"):
        hint = f"write name: darkpeak-{service.name} at the top of the file"
        yield Finding(service.at, "project-name", f"the project name {service.project} is not one of darkpeak's", hint)


def published_ports(service: Service) -> Iterator[Finding]:
    """Ports are published on the loopback and inside the block: only the router is reached from outside."""
    first = service.block or 0
    for port in service.ports:
        if port.address != LOOPBACK:
            hint = f'write "{LOOPBACK}:{port.published[0]}:{port.target[0]}"'
            where = (
                f"on {port.address}, where the router does not ask" if _is_loopback(port.address) else "to the network"
            )
            what = f"port {port.published[0]} is open {where}"
            yield Finding(port.at, "not-on-loopback", what, hint)
        outside = [number for number in port.published if number not in ports_of(first)]
        if outside and first in BLOCKS:
            what = f"port {outside[0]} is outside the block {first}"
            hint = f"publish on one of {first}-{first + BLOCK_SIZE - 1}"
            yield Finding(port.at, "outside-block", what, hint)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # empty, or a variable
        return False


def published_once(service: Service) -> Iterator[Finding]:
    """A port of the host leads to one container; TCP and UDP ports are counted separately."""
    seen: set[tuple[str, int]] = set()
    for port in service.ports:
        published = {(port.protocol, number) for number in port.published}
        twice = sorted(seen & published)
        if twice:
            yield Finding(
                port.at, "port-twice", f"port {twice[0][1]} is published twice", "publish each on its own port"
            )
        seen |= published


def subnets(service: Service) -> Iterator[Finding]:
    """A network has the subnet of its block, since Docker's own pool ends at about 30 networks."""
    if service.block not in BLOCKS:
        return
    for subnet, at in service.subnets:
        if subnet != subnet_of(service.block or 0):
            hint = f"write {subnet_of(service.block or 0)}"
            yield Finding(at, "subnet", f"subnet {subnet} does not belong to block {service.block}", hint)


RULES = (
    Rule(
        "block-number",
        ERROR,
        "A block is ten ports from a multiple of ten, so that a port number shows the service.",
        "use a free block: darkpeak ports",
        service=(block_number,),
    ),
    Rule(
        "block-taken",
        ERROR,
        "Two services with one block would publish the same ports and use the same subnet.",
        "use a free block: darkpeak ports",
        collective=(one_block_each,),
    ),
    Rule(
        "project-taken",
        ERROR,
        "Compose knows a service by its project name: two services with one name would remove each other's containers.",
        "write name: darkpeak-SERVICE at the top of the file",
        collective=(one_project_each,),
    ),
    Rule(
        "project-name",
        WARNING,
        "A project's name shows that it is one of the collective's; another program on the machine may use other "
        "names.",
        "write name: darkpeak-SERVICE at the top of the file",
        service=(project_name,),
    ),
    Rule(
        "not-on-loopback",
        ERROR,
        "A port on another address is open to the network, past the router and its limits.",
        "publish it on 127.0.0.1, and write a route",
        service=(published_ports,),
    ),
    Rule(
        "outside-block",
        ERROR,
        "A port outside the block belongs to another service.",
        "publish on a port of the block",
        service=(published_ports,),
    ),
    Rule(
        "port-twice",
        ERROR,
        "One port can lead to one container only.",
        "publish each on its own port",
        service=(published_once,),
    ),
    Rule(
        "subnet",
        ERROR,
        "Each block has its own subnet, because Docker's own pool ends at about 30 networks.",
        "write the subnet of the block: 10.60.10.0/24 for the block 6010",
        service=(subnets,),
    ),
)
