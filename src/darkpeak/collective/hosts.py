"""`[hosts]` of collective.toml: daemons by name, and which services run on them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.collective.settings import Host
from darkpeak.collective.tree import toml_line
from darkpeak.collective.uri import FORMS, parse_uri
from darkpeak.errors import UsageError
from darkpeak.vocabulary import COLLECTIVE_FILE, ROUTER, TUNNEL_PORT, VAGRANT

KEYS = ("docker", "services", "address", "ca", "swarm", "nodes")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
# The VM of `darkpeak vm`, unless collective.toml has a host with this name.
VAGRANT_HOST = Host(VAGRANT, f"tcp://localhost:{TUNNEL_PORT}", Place(COLLECTIVE_FILE, 1))


@dataclass(frozen=True)
class Placed:
    """Services that run on one daemon; `host` is None for the daemon of DOCKER_HOST or the docker context."""

    host: Host | None
    services: tuple[Service, ...]


def read_hosts(text: str, data: Any) -> tuple[tuple[Host, ...], list[Finding]]:
    """Return the hosts, and the findings about their form."""
    if not isinstance(data, dict):
        return (), []  # read.py has a finding for a wrong type
    findings = [finding for name, values in data.items() for finding in _wrong(text, name, values)]
    hosts = []
    for name, values in data.items():
        if isinstance(values, dict):
            services = values.get("services")
            named = tuple(map(str, services)) if isinstance(services, list) else ()
            at = _place(text, name, "services") if named else _place(text, name)
            nodes = values.get("nodes")
            hosts.append(
                Host(
                    name,
                    str(values.get("docker", "")),
                    at,
                    named,
                    str(values.get("address", "")),
                    ca=values.get("ca") is True,
                    swarm=values.get("swarm") is True,
                    nodes=tuple(map(str, nodes)) if isinstance(nodes, list) else (),
                )
            )
    return tuple(hosts), findings


def _wrong(text: str, name: str, values: Any) -> Iterator[Finding]:
    if not NAME.fullmatch(name):
        hint = "use lower-case letters, digits and hyphens, as in docker-compose.NAME.yml"
        yield Finding(_place(text, name), "host-name", f"{name!r} cannot be a host's name", hint)
    if not isinstance(values, dict):
        yield Finding(_place(text, name), "wrong-type", f"host {name} is not a table", f"write [hosts.{name}]")
        return
    for key in values:
        if key not in KEYS:
            hint = f"the known keys are {', '.join(KEYS)}"
            yield Finding(_place(text, name, key), "unknown-key", f"unknown key {key}", hint)
    docker, services = values.get("docker"), values.get("services", [])
    if docker is None:
        yield Finding(_place(text, name), "missing-key", "docker is missing", 'write docker = "ssh://USER@HOST"')
    elif not isinstance(docker, str):
        yield Finding(_place(text, name, "docker"), "wrong-type", "docker must be text in quotes", f"write {FORMS}")
    elif parse_uri(docker) is None:
        yield Finding(_place(text, name, "docker"), "uri", f"{docker!r} is not a valid Docker URI", f"write {FORMS}")
    if not isinstance(services, list) or not all(isinstance(service, str) for service in services):
        hint = 'write services = ["wiki", "chat"]'
        yield Finding(_place(text, name, "services"), "wrong-type", "services must be a list of names", hint)
    yield from _wrong_router(text, name, values)
    yield from _wrong_swarm(text, name, values)


def _wrong_router(text: str, name: str, values: dict[str, Any]) -> Iterator[Finding]:
    if "address" in values and not _is_address(values["address"]):
        hint = 'write the IP address at which the other hosts reach it: address = "192.0.2.7"'
        what = f"{values['address']!r} is not an IPv4 address"
        yield Finding(_place(text, name, "address"), "wrong-type", what, hint)
    if not isinstance(values.get("ca", False), bool):
        yield Finding(_place(text, name, "ca"), "wrong-type", "ca must be true or false", "write ca = true")


def _wrong_swarm(text: str, name: str, values: dict[str, Any]) -> Iterator[Finding]:
    if not isinstance(values.get("swarm", False), bool):
        yield Finding(_place(text, name, "swarm"), "wrong-type", "swarm must be true or false", "write swarm = true")
    nodes = values.get("nodes", [])
    if not isinstance(nodes, list) or not all(isinstance(node, str) for node in nodes):
        hint = 'write nodes = ["ssh://USER@HOST"]'
        yield Finding(_place(text, name, "nodes"), "wrong-type", "nodes must be a list of Docker URIs", hint)
        return
    for node in nodes:
        if parse_uri(node) is None:
            yield Finding(_place(text, name, "nodes"), "uri", f"{node!r} is not a valid Docker URI", f"write {FORMS}")
    if nodes and values.get("swarm") is not True:
        what = f"host {name} has nodes, but is no manager of a swarm"
        yield Finding(_place(text, name, "nodes"), "nodes-without-swarm", what, "write swarm = true, or remove nodes")


def _is_address(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(IPv4Address(value))
    except ValueError:
        return False


def _place(text: str, *path: str) -> Place:
    return Place(COLLECTIVE_FILE, toml_line(text, "hosts", *path))


def find_host(hosts: Sequence[Host], wanted: str) -> Host | None:
    """Return the host with this name, or else with this URI."""
    known = hosts if any(host.name == VAGRANT for host in hosts) else (*hosts, VAGRANT_HOST)
    by_name = (host for host in known if host.name == wanted)
    return next(by_name, next((host for host in known if host.docker == wanted), None))


def uri_of(hosts: Sequence[Host], wanted: str) -> str:
    """Return the URI of the host with this name; a URI is returned as it is.

    Raises:
        UsageError: when it is neither a name nor a URI.
    """
    found = find_host(hosts, wanted)
    if found is None and parse_uri(wanted) is None:
        known = ", ".join(host.name for host in hosts)
        raise UsageError(
            f"there is no host {wanted}",
            hint=f"the hosts are: {known}; or write {FORMS}" if known else f"write {FORMS}",
        )
    return found.docker if found else wanted


def stacks_of(collective: Collective) -> list[Service]:
    """Return the services that run as stacks on a swarm: those with `replicas` that are assigned to its manager."""
    homes = homes_of(collective)
    swarms = {name for name, host in homes.items() if host.swarm}
    scaled = (item for item in collective.services if any(container.replicas for container in item.containers))
    return [service for service in scaled if service.name in swarms]


def homes_of(collective: Collective) -> dict[str, Host]:
    """Return the host of each service that [hosts] assigns; if there are two, the first."""
    return {name: host for host in reversed(collective.hosts) for name in host.services}


def peers_of(collective: Collective) -> dict[str, str]:
    """Return the address of each host whose router is the peer of the others; none if there are not two."""
    used = {placed.host for placed in place(collective, collective.services)}
    found = {host.name: host.address for host in collective.hosts if host in used and host.address}
    return found if len(found) > 1 else {}


def place(collective: Collective, services: Sequence[Service]) -> list[Placed]:
    """Return the services by daemon; services that [hosts] does not assign are on the default daemon.

    A router is on every host that has services. The first daemon is the home of the collective's CA: the one with `ca`,
    or else the default one, or else the first of [hosts]. An idea has nothing to run, so it needs no daemon.
    """
    homes = homes_of(collective)
    used = {homes.get(service.name) for service in collective.services if service.runs and service.name != ROUTER}
    hosts = [host for host in (None, *collective.hosts) if host in used or (host and host.ca)] or [None]
    hosts.sort(key=lambda host: not (host and host.ca))

    def is_on(service: Service, host: Host | None) -> bool:
        if service.name == ROUTER:
            return True
        return (homes.get(service.name) if service.runs else hosts[0]) == host

    placed = (Placed(host, tuple(item for item in services if is_on(item, host))) for host in hosts)
    return [group for group in placed if group.services]
