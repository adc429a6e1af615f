"""Blocks that a new service can have. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.collective.model import Collective, Service
from darkpeak.plan.facts import overlap
from darkpeak.vocabulary import BLOCKS, block_of, ports_of, subnet_of

NO_BLOCK = "no block is free"


@dataclass(frozen=True)
class FreeBlock:
    """A block that nothing in the collective's files uses."""

    block: int

    @property
    def ports(self) -> str:
        """Its first and last port."""
        numbers = ports_of(self.block)
        return f"{numbers[0]}-{numbers[-1]}"

    @property
    def subnet(self) -> str:
        """Its subnet."""
        return subnet_of(self.block)

    def __str__(self) -> str:
        return str(self.block)


def free_blocks(collective: Collective) -> tuple[FreeBlock, ...]:
    """Return all free blocks, the lowest first: no service has the block, or one of its ports, or its subnet.

    A service may use ports or a subnet outside its own block: lint has a finding, but a new service must not meet it.
    """
    used = {block for service in collective.services for block in _blocks_of(service)}
    subnets = [subnet for service in collective.services for subnet, _ in service.subnets]
    free = (block for block in BLOCKS[1:] if block not in used)
    return tuple(FreeBlock(block) for block in free if not any(overlap(subnet_of(block), subnet) for subnet in subnets))


def _blocks_of(service: Service) -> Iterator[int]:
    if service.block is not None:
        yield service.block
    yield from (block_of(number) for port in service.ports for number in (port.published[0], port.published[-1]))
    yield from (block_of(route.public) for route in service.routes.tcp)
