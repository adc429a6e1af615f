"""What another project has that a service needs: a subnet, a published port. Found before anything is touched. Pure."""

from collections.abc import Iterator, Sequence

from darkpeak.collective.model import Collective, Finding, Port, Service
from darkpeak.plan.facts import Network, overlap
from darkpeak.plan.observed import Observed


def find_conflicts(
    collective: Collective, services: Sequence[Service], observed: Observed, networks: Sequence[Network]
) -> list[Finding]:
    """Return a finding for each subnet and port of these services that another project on the engine has.

    Also for a service that runs as containers and shall be a stack, or the other way round.
    """
    found: set[Finding] = set()
    for service in services:
        found |= {
            *_subnets(collective, service, networks),
            *_ports(collective, service, observed),
            *_stacked(service, observed),
        }
    return sorted(found)


def _subnets(collective: Collective, service: Service, networks: Sequence[Network]) -> Iterator[Finding]:
    own = {name for name, _ in service.own_networks}
    for subnet, place in service.subnets:
        for network in networks:
            clash = next((other for other in network.subnets if overlap(subnet, other)), None)
            if clash and network.name not in own:
                what = f"the subnet {subnet} overlaps with {clash} of the network {network.name}"
                named = f"{what} (project {network.project})" if network.project else what
                yield Finding(place, "subnet-in-use", named, _hint(collective, service, network.project))


def _ports(collective: Collective, service: Service, observed: Observed) -> Iterator[Finding]:
    taken = {
        public: item
        for item in observed.containers
        if item.project != service.project and item.state == "running"
        for _, public in item.ports
    }
    for port in service.ports:
        used = [number for number in port.published if number in taken]
        if len(port.published) - len(used) < len(port.target):
            item = taken[used[0]]
            what = f"{_numbers(port, used[0])} is used by the container {item.name} (project {item.project})"
            yield Finding(port.at, "port-in-use", what, _hint(collective, service, item.project))


def _stacked(service: Service, observed: Observed) -> Iterator[Finding]:
    """Yield a finding if the service runs on the engine in the other of two ways: as containers, or as a stack."""
    hint = f"remove these first, its data stays: darkpeak down {service.name}"
    if service.stacked and any(not item.task for item in observed.of(service.project)):
        yield Finding(service.at, "other-way", "it runs as containers of compose, and not as a stack", hint)
    if not service.stacked and observed.stack_of(service.project):
        yield Finding(service.at, "other-way", "it runs as a stack, and not as containers of compose", hint)


def _numbers(port: Port, used: int) -> str:
    return f"the port {used}" + f" of {port.published[0]}-{port.published[-1]}" * (len(port.published) > 1)


def _hint(collective: Collective, service: Service, project: str) -> str:
    known = next((item.name for item in collective.services if item.project == project), None)
    if known:
        return f"give {service.name} or {known} another block; if {known} just left this one, deploy it first"
    if not project:
        return "it was not made by compose; see more: darkpeak doctor"
    remove = f"docker compose -p {project} down (its volumes stay)"
    back = "write the old name again, then use darkpeak rename"
    return f"if that is {service.name} under its old name, {back}; otherwise remove it: {remove}"
