"""The rows of `status`, `ports` and `roadmap`. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from darkpeak.collective.model import LEVELS, Collective, Service
from darkpeak.plan.blocks import NO_BLOCK, free_blocks
from darkpeak.plan.observed import Observed, Running
from darkpeak.router.routes import Counted
from darkpeak.vocabulary import LEAST_ADMINS, ports_of

HEALTHY, UNREACHABLE = "healthy", "unreachable"


@dataclass(frozen=True)
class ServiceStatus:
    """One row of `darkpeak status`."""

    service: str
    kind: str
    level: str
    state: str
    address: tuple[str, ...]
    admins: tuple[str, ...]
    host: str = ""  # of [hosts]; empty for the default daemon
    requests: int | None = None  # counted by the router; None if it has counted none
    failed: int | None = None
    ms: float | None = None  # mean time of an answer
    saved: str = ""  # its newest snapshot; empty if the collective has no repositories
    drilled: str = ""  # its last drill, and how long it took
    measured: str = ""  # the level that it had in the last night; empty if it is unknown
    nightly: str = ""  # when `darkpeak nightly` last ran for the collective


@dataclass(frozen=True)
class PortClaim:
    """One row of `darkpeak ports`."""

    port: str
    service: str
    container: str
    target: str
    route: str


@dataclass(frozen=True)
class RoadmapEntry:
    """One row of `darkpeak roadmap`."""

    level: str
    service: str
    kind: str
    about: str
    admins: tuple[str, ...]
    missing: str
    measured: str = ""  # the level that it has, by evidence
    lacks: str = ""  # what it lacks for the level that it claims, or for the next one


def make_status(
    collective: Collective,
    services: Sequence[Service],
    observed: Observed,
    host: str = "",
    counted: Sequence[Counted] = (),
) -> list[ServiceStatus]:
    """Return the status of each service on one host, with the counters of the router there."""
    return [
        ServiceStatus(
            service.name,
            service.kind,
            service.level,
            state_in(service, observed),
            addresses(collective, service),
            service.admins,
            host,
            *_traffic(service, counted),
        )
        for service in services
    ]


def mark_unreachable(
    rows: Iterable[ServiceStatus], silent: Collection[str], cut_off: Mapping[str, str] = MappingProxyType({})
) -> list[ServiceStatus]:
    """Return the rows, in which healthy services that do not answer through the router are unreachable.

    `cut_off` are services that do not reach one on another host, and which.
    """
    states = {
        **{name: f"cut off from {other}" for name, other in cut_off.items()},
        **dict.fromkeys(silent, UNREACHABLE),
    }
    return [replace(row, state=states.get(row.service, HEALTHY)) if row.state == HEALTHY else row for row in rows]


def _traffic(service: Service, counted: Sequence[Counted]) -> tuple[int | None, int | None, float | None]:
    """Return requests, failed requests, and the mean time of an answer in milliseconds."""
    own = next((item for item in counted if item.block == service.block), None)
    if not own or not own.requests:
        return None, None, None
    return own.requests, own.failed, round(own.milliseconds / own.requests, 1)


def state_of(service: Service, running: Sequence[Running]) -> str:
    """Return a service's state in a word or two: that of its worst container."""
    if not service.runs:
        return "idea"
    if not running:
        return "absent"
    here = {item.container for item in running}
    missing = [container.name for container in service.containers if container.name not in here]
    if missing:
        return f"{missing[0]} absent"
    ending = {container.name for container in service.containers if container.ends}
    running = [item for item in running if not (item.container in ending and item.ended_well)]
    faults = (_fault(item, running, ends=item.container in ending) for item in running)
    unready = (f"{item.container} {item.health}" for item in running if item.health not in ("healthy", ""))
    return next((fault for fault in faults if fault), None) or next(unready, HEALTHY)


def state_in(service: Service, observed: Observed) -> str:
    """Return a service's state in a word or two, also if a swarm runs it."""
    if not service.stacked or not service.runs:
        return state_of(service, observed.of(service.project))
    here = {item.container: item for item in observed.stack_of(service.project)}
    if not here:
        return "absent"
    for container in service.containers:
        found = here.get(container.name)
        if found is None or (found.wanted and not found.ready):
            return f"{container.name} {'starting' if found else 'absent'}"
        if found.ready < found.wanted:
            return f"{container.name} {found.ready} of {found.wanted}"
    return HEALTHY if all(item.wanted for item in here.values()) else "stopped"


def stopped_of(service: Service, running: Sequence[Running]) -> list[Running]:
    """Return the containers that should run and do not; one that was meant to end, and ended well, is none of them."""
    ending = {container.name for container in service.containers if container.ends}
    return [item for item in running if item.state != "running" and not (item.container in ending and item.ended_well)]


def _fault(item: Running, running: Sequence[Running], *, ends: bool) -> str:
    """Return in words that a container does not run; empty if it does."""
    if ends and item.exit_code:
        return f"{item.container} failed"
    if item.state in ("exited", "created", "dead"):
        return "stopped" if all(other.state == item.state for other in running) else f"{item.container} stopped"
    return "" if item.state == "running" else f"{item.container} {item.state}"


def addresses(collective: Collective, service: Service) -> tuple[str, ...]:
    """Return a service's addresses for people, through the router."""
    scheme = "https" if collective.leads_to_https else "http"
    http = (collective.address(scheme, route.host(collective.domain)) for route in service.routes.http)
    tls = (collective.address("https", route.host(collective.domain)) for route in service.routes.tls)
    return (*http, *tls, *(f"{collective.domain}:{route.public}" for route in service.routes.tcp))


def make_ports(collective: Collective) -> list[PortClaim]:
    """Return all published ports by number, and one row for each block without any."""
    rows: list[tuple[int, PortClaim]] = []
    for service in collective.services:
        routes = {route.port: route.host(collective.domain) for route in service.routes.named}
        routes |= {route.port: f"public {route.public}" for route in service.routes.tcp}
        if service.routes.ssh is not None:
            routes[service.routes.ssh] = "ssh"
        if service.block is not None and not service.ports:
            rows.append((service.block, PortClaim(_span(ports_of(service.block)), service.name, "", "", "")))
        for container in service.containers:
            for port in container.ports:
                route = ", ".join(routes[number] for number in port.published if number in routes)
                target = _span(port.target) + "/udp" * (port.protocol == "udp")
                rows.append(
                    (port.published[0], PortClaim(_span(port.published), service.name, container.name, target, route))
                )
    return [row for _, row in sorted(rows, key=lambda item: item[0])]


def describe_free_block(collective: Collective) -> str:
    """Return a line about the next block that no service has."""
    free = free_blocks(collective)[:1]
    return f"next free block: {free[0]} (ports {free[0].ports}, subnet {free[0].subnet})" if free else NO_BLOCK


def make_roadmap(
    collective: Collective, found: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> list[RoadmapEntry]:
    """Return all services, the highest level first, with the admins who are missing.

    `found` has each service's measured level, and what it lacks.
    """
    entries = []
    names = {admin.name: admin.full_name for admin in collective.admins if admin.full_name}
    for service in sorted(collective.services, key=lambda item: (-LEVELS.index(item.level), item.name)):
        missing = LEAST_ADMINS - len(set(service.admins))
        wanted = "" if missing <= 0 else "a co-admin" if missing == 1 else f"{missing} admins"
        people = tuple(f"{name} ({names[name]})" if name in names else name for name in service.admins)
        measured = found.get(service.name, ("", ""))
        entries.append(
            RoadmapEntry(service.level, service.name, service.kind, service.about, people, wanted, *measured)
        )
    return entries


def _span(numbers: range) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
