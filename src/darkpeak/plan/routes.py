"""The routes that the router should have, from the files and from what runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darkpeak.collective.hosts import homes_of, peers_of
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.stand_ins import find_stand_ins, wanted_by_others
from darkpeak.plan.observed import Observed
from darkpeak.plan.status import state_in
from darkpeak.router.acme import WILDCARD, Acme
from darkpeak.router.routes import Gate, Limit, Link, Route, Table, TcpRoute, TlsRoute
from darkpeak.vocabulary import ROUTER


@dataclass(frozen=True)
class ListedRoute:
    """One row of `darkpeak routes`."""

    address: str
    service: str
    port: int
    state: str


def make_table(
    collective: Collective,
    observed: Observed,
    keys: tuple[str, ...] = (),
    arriving: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """Return the routes of all services that exist on the daemon; stopped ones too, so that they answer 503 not 404.

    Services with faults are left out. Their routes, and those of containers in no file, stay as they are (`kept`).
    `keys` are those of the login page; without them, the router keeps those that it has. `arriving` are services that
    move to this host, and are not open yet, each with the host where it still lives.
    """
    sound = [service for service in collective.services if service.name not in collective.unsound]
    here = [service for service in sound if observed.has(service.project)]
    projects = {service.project for service in sound}
    others = [item for item in observed.containers if item.project not in projects and not item.scratch]
    far_tcp = sorted(_far_tcp(collective, sound, here, arriving))
    plain = [live_port(service, observed, service.routes.plain_ssh) for service in here if service.routes.plain_ssh]
    return Table(
        domains=(collective.domain,),
        http=tuple(
            Route(route.label, live_port(service, observed, route.port))
            for service in here
            for route in service.routes.http
        ),
        tcp=tuple(_tcp(here, observed)),
        tls=tuple(
            TlsRoute(route.label, live_port(service, observed, route.port), _proxied(service, route.port))
            for service in here
            for route in service.routes.tls
        ),
        ssh=tuple(
            Route(service.name, live_port(service, observed, service.routes.ssh))
            for service in here
            if service.routes.ssh
        ),
        plain_ssh=next(iter(plain), 0),
        limits=tuple(
            Limit(route.label, **dict(service.routes.limits))
            for service in here
            if service.routes.limits
            for route in service.routes.http
        ),
        gate=Gate(tuple(sorted(_gated(here))), keys, tuple(sorted(_gated(here, optional=True)))),
        away=tuple(sorted(_away(collective, sound, here, arriving))),
        peers=tuple(sorted((name, at) for name, at in _peers(collective).items() if name != collective.here)),
        links=tuple(_links(collective, here, observed)),
        far=tuple(sorted({*_offered_elsewhere(collective), *((port, host) for _, port, host in far_tcp)})),
        far_tcp=tuple((public, port) for public, port, _ in far_tcp),
        acme=make_acme(collective, here),
        probed=tuple(_probed(collective, here)),
        blocks=tuple(service.block for service in collective.services if service.block),
        own_ports=collective.router.all,
        kept=frozenset(host for item in others for _, host in item.ports),
        pairs=tuple(sorted(port.published[0] for service in here for port in service.ports if port.pair)),
    )


def make_acme(collective: Collective, services: Sequence[Service]) -> Acme | None:
    """Return the certificates for the names that the router itself serves by https; None if no CA is set.

    The bare domain gets one only if a route leads there: it often leads to another machine, which the CA would ask.
    With a DNS hook, one certificate is for the domain and all names directly below it.
    """
    settings, domain = collective.certificates, collective.domain
    if settings is None:
        return None
    passed = {route.host(domain) for service in services for route in service.routes.tls}
    hosts = {route.host(domain) for service in services for route in service.routes.http} - passed
    certificates: list[tuple[str, ...]] = [(host,) for host in sorted(hosts)]
    if settings.dns:
        alone = [names for names in certificates if names[0] != domain and names[0].partition(".")[2] != domain]
        certificates = [*alone, (domain, WILDCARD + domain)]
    wanted = tuple(sorted(certificates))
    return Acme(settings.acme, settings.contact, settings.dns, settings.trust, wanted, collective.router.redirect)


def _peers(collective: Collective) -> dict[str, str]:
    """Return the addresses of the routers to which this host's router leads; none if it is not their peer itself."""
    peers = peers_of(collective)
    return peers if collective.here in peers else {}


def _away(
    collective: Collective, services: Sequence[Service], here: Sequence[Service], arriving: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield each http route of services that live on another host, and that host."""
    for service, host in _living_elsewhere(collective, services, here, arriving):
        yield from ((route.label, host) for route in service.routes.http)


def _living_elsewhere(
    collective: Collective, services: Sequence[Service], here: Sequence[Service], arriving: Mapping[str, str]
) -> Iterator[tuple[Service, str]]:
    """Yield the services to which the routers of other hosts lead, and these hosts."""
    peers = _peers(collective)
    homes = {name: home.name for name, home in homes_of(collective).items()} | dict(arriving)
    present = {service.name for service in here}
    for service in services:
        home = homes.get(service.name)
        if home and home != collective.here and home in peers and service.name not in present:
            yield service, home


def _links(collective: Collective, services: Sequence[Service], observed: Observed) -> Iterator[Link]:
    """Yield the streams of services here that other hosts may have: tcp routes, and what is offered and needed."""
    for service in services if _peers(collective) else ():
        ports = [route.port for route in service.routes.tcp]
        ports += [port for _, port in service.offers] if wanted_by_others(collective, service) else []
        for port in dict.fromkeys(ports):
            yield Link(port, live_port(service, observed, port), _proxied(service, port))


def _offered_elsewhere(collective: Collective) -> Iterator[tuple[int, str]]:
    for item in find_stand_ins(collective, collective.here):
        yield from ((port, item.host) for _, port in item.ports)


def _far_tcp(
    collective: Collective, services: Sequence[Service], here: Sequence[Service], arriving: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Yield public port, port and host of each tcp route of services that live on another host."""
    for service, host in _living_elsewhere(collective, services, here, arriving):
        yield from ((route.public, route.port, host) for route in service.routes.tcp)


def _tcp(services: Sequence[Service], observed: Observed) -> Iterator[TcpRoute]:
    for service in services:
        for route in service.routes.tcp:
            port = live_port(service, observed, route.port)
            yield TcpRoute(route.public, port, service.name, _proxied(service, route.port))


def _probed(collective: Collective, services: Sequence[Service]) -> Iterator[Route]:
    """Yield the first port of each service without routes; the router's own is that for http."""
    for service in services:
        ports = (
            [collective.router.http]
            if service.name == ROUTER
            else [port.published[0] for port in service.ports if port.protocol == "tcp"]
        )
        if ports and not service.routes:
            yield Route(service.name, ports[0])


def _gated(services: Sequence[Service], *, optional: bool = False) -> Iterator[str]:
    """Yield the labels of the routes that only members may use; with `optional`, where others may stay strangers."""
    gates = [item for item in services if item.login and item.login.gate and item.login.optional == optional]
    return (route.label for item in gates for route in item.routes.http)


def _proxied(service: Service, port: int) -> bool:
    return port in {declared for declared, _ in service.routes.proxy}


def live_port(service: Service, observed: Observed, declared: int) -> int:
    """Return the port of the instance that serves, in the range of ports that contains the declared one.

    If none is ready, it is the port of any instance that has one.
    """
    for container in service.containers:
        for port in container.ports:
            if declared in port.published:
                running = observed.of(service.project, container.name)
                serving = observed.serving(service.project, container)
                numbers = [host for item in (serving, *running) if item for _, host in item.ports]
                return next((host for host in numbers if host in port.published), declared)
    return declared


def list_routes(collective: Collective, observed: Observed) -> list[ListedRoute]:
    """Return every declared route with the port that it leads to now."""
    listed = []
    for service in collective.services:
        state = state_in(service, observed)
        domain = collective.domain
        named = ((route.host(domain), route.port) for route in service.routes.http)
        passed = ((f"tls {route.host(domain)}", route.port) for route in service.routes.tls)
        public = ((f"{domain}:{route.public}", route.port) for route in service.routes.tcp)
        ssh = [(f"ssh {service.name}.{domain}", service.routes.ssh)] if service.routes.ssh else []
        for address, port in (*named, *passed, *public, *ssh):
            listed.append(ListedRoute(address, service.name, live_port(service, observed, port), state))
    return sorted(listed, key=lambda route: (route.service, route.address))
