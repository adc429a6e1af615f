"""Check what a daemon and its machine lack, from facts about them; each check says what to do. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from darkpeak.collective.model import Collective, Service
from darkpeak.plan.facts import Facts, HostMachine, overlap
from darkpeak.result import Verdict
from darkpeak.vocabulary import GIB, INSTALL_CLIENT, MIB, ROUTER

LEAST_ENGINE, LEAST_COMPOSE = (20, 10), (2, 20)
CLOSED_ENGINE = (28,)  # from this version on, the engine passes nothing from other machines on to containers' addresses
NAMED = 6  # at most so many addresses in one line
DISK_BAD, DISK_WARN = 1 * GIB, 3 * GIB
MEMORY_BAD, MEMORY_WARN, MEMORY_LEAST = 96 * MIB, 256 * MIB, 900 * MIB
CLOCK_WARN, CLOCK_BAD = 5.0, 60.0  # seconds
FEW_NETWORKS, FEW_INODES = 3, 5  # networks; per cent
# The pools of Docker's networks, if none are set: base, and the length of each network's prefix.
DEFAULT_POOLS = (*((f"172.{number}.0.0/16", 16) for number in range(17, 32)), ("192.168.0.0/16", 20))


@dataclass(frozen=True)
class Check:
    """The result of one check, and what to do about it."""

    check: str
    verdict: Verdict
    what: str
    hint: str = ""
    host: str = ""


def evaluate(facts: Facts, collective: Collective | None) -> list[Check]:
    """Return all checks of one daemon for a collective; without a collective, those that need none."""
    checks = [_compose(facts), *_daemon(facts)]
    if facts.failure:
        return checks
    checks += [*_resources(facts), _clock(facts), _proxy(facts), _live_restore(facts)]
    checks += [_neighbours(facts, collective), _pools(facts, collective)]
    if collective:
        checks += [_ports(facts, collective), _subnets(facts, collective), _names(facts, collective)]
    return checks


def check_stand_ins(faults: Mapping[str, str]) -> Check:
    """Check whether services reach those on other hosts; `faults` has what is wrong with each stand-in."""
    if faults:
        what = "; ".join(f"{item}: {why}" for item, why in sorted(faults.items()))
        hint = "make them: darkpeak up; see whether the other host is on, and lets in the router's https port"
        return Check("stand-ins", Verdict.BAD, what, hint)
    return Check("stand-ins", Verdict.OK, "the services here reach those on other hosts that they need")


def version(written: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version: 20, 10 and 24 for 20.10.24+dfsg1."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", written)
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def _compose(facts: Facts) -> Check:
    least = ".".join(map(str, LEAST_COMPOSE))
    if not facts.compose:
        return Check("compose", Verdict.BAD, "docker compose is not installed here", INSTALL_CLIENT)
    if version(facts.compose) < LEAST_COMPOSE:
        what = f"docker compose {facts.compose} is older than {least}"
        return Check("compose", Verdict.BAD, what, INSTALL_CLIENT)
    return Check("compose", Verdict.OK, f"docker compose {facts.compose}")


def _daemon(facts: Facts) -> Iterator[Check]:
    if facts.failure:
        yield Check("daemon", Verdict.BAD, facts.failure, facts.failure_hint)
        return
    if version(facts.engine) < LEAST_ENGINE:
        what = f"Docker {facts.engine} is older than {'.'.join(map(str, LEAST_ENGINE))}"
        yield Check("daemon", Verdict.BAD, what, "on its machine, install docker.io of Debian 12 or newer")
    else:
        yield Check("daemon", Verdict.OK, f"Docker {facts.engine} at {facts.daemon}")
    if facts.open_to_all:
        what = f"{facts.daemon} has no TLS: everyone who can reach it is root on its machine"
        yield Check("access", Verdict.BAD, what, "use ssh://USER@HOST instead, and close that port")


def _resources(facts: Facts) -> Iterator[Check]:
    machine = facts.machine
    if machine is None:
        yield Check("disk", Verdict.WARN, f"unknown: {facts.unknown}", "make an image for this check: darkpeak base")
        return
    free = f"{_size(machine.disk_free)} of {_size(machine.disk_total)} free"
    hint = "on its machine: docker image prune, docker builder prune; or use a larger disk"
    if machine.disk_free < DISK_BAD:
        yield Check("disk", Verdict.BAD, f"only {free}", hint)
    elif machine.disk_free < DISK_WARN:
        yield Check("disk", Verdict.WARN, free, hint)
    elif machine.inodes_free < FEW_INODES:
        yield Check("disk", Verdict.WARN, f"{free}, but only {machine.inodes_free} % of its inodes", hint)
    else:
        yield Check("disk", Verdict.OK, free)
    yield _memory(facts, machine)


def _memory(facts: Facts, machine: HostMachine) -> Check:
    free = f"{_size(machine.memory_free)} of {_size(facts.memory_total)} available"
    if machine.memory_free < MEMORY_BAD:
        return Check(
            "memory", Verdict.BAD, f"only {free}", "stop a service, or add memory; otherwise the system kills programs"
        )
    if machine.memory_free < MEMORY_WARN or facts.memory_total < MEMORY_LEAST:
        return Check(
            "memory",
            Verdict.WARN,
            free,
            "1 GiB is enough for the router, the directory and a wiki; for more services, add memory",
        )
    return Check("memory", Verdict.OK, free)


def _clock(facts: Facts) -> Check:
    off = abs(facts.clock_ahead)
    if off < CLOCK_WARN:
        return Check("clock", Verdict.OK, "in sync with this machine")
    what = f"{off:.0f} s {'ahead of' if facts.clock_ahead > 0 else 'behind'} this machine"
    hint = "correct the wrong clock: apt-get install systemd-timesyncd"
    return Check("clock", Verdict.BAD if off >= CLOCK_BAD else Verdict.WARN, what, hint)


def _proxy(facts: Facts) -> Check:
    if facts.proxy is None:
        return Check(
            "userland-proxy", Verdict.WARN, f"unknown: {facts.unknown}", "make an image for this check: darkpeak base"
        )
    if facts.proxy:
        what = "on: it costs a third of the requests per second"
        return Check(
            "userland-proxy", Verdict.WARN, what, 'write "userland-proxy": false in its /etc/docker/daemon.json'
        )
    return Check("userland-proxy", Verdict.OK, "off")


def _live_restore(facts: Facts) -> Check:
    """Check whether containers outlive the engine; if not, Docker 20.10 stops them, and does not start them again."""
    if facts.live_restore:
        return Check("live-restore", Verdict.OK, "on: containers run on while the engine does not")
    if facts.swarm:
        return Check("live-restore", Verdict.OK, "off, since a swarm refuses it: containers end with the engine")
    what = "off: if the engine is killed, all containers stop, and may not start again by themselves"
    return Check("live-restore", Verdict.WARN, what, 'write "live-restore": true in its /etc/docker/daemon.json')


def _neighbours(facts: Facts, collective: Collective | None) -> Check:
    """Check whether other machines in its network can reach containers directly, and not only through the router."""
    if version(facts.engine) >= CLOSED_ENGINE or facts.guarded or not facts.published:
        return Check("neighbours", Verdict.OK, "other machines cannot reach a container's own address")
    if facts.guarded is None:
        what, hint = f"unknown: {facts.unknown}", "make an image for this check: darkpeak base"
        return Check("neighbours", Verdict.WARN, what, hint)
    names = {service.project: service.name for service in (collective.services if collective else ())}
    open_ones = [f"{names.get(one.project, one.project)} {one}".strip() for one in facts.published]
    more = f" and {len(open_ones) - NAMED} more" if len(open_ones) > NAMED else ""
    what = f"other machines in its network can reach, past the router: {', '.join(open_ones[:NAMED])}{more}"
    hint = "on a server: darkpeak host prepare; on a laptop: install Docker 28, or use it only in a network you trust"
    return Check("neighbours", Verdict.WARN, what, hint)


def _pools(facts: Facts, collective: Collective | None) -> Check:
    pools = [(IPv4Network(base), size) for base, size in facts.pools or DEFAULT_POOLS if ":" not in base]
    room = sum(2 ** max(0, size - pool.prefixlen) for pool, size in pools)
    known = [IPv4Network(subnet) for network in facts.networks for subnet in network.subnets if ":" not in subnet]
    left = room - sum(any(subnet.overlaps(pool) for pool, _ in pools) for subnet in known)
    unserved = [service.name for service in (collective.services if collective else ()) if _wants_pool(service, facts)]
    what = f"room for {max(0, left)} more networks without a subnet of their own"
    if left < len(unserved):
        what = f"{what}, but these services need one: {', '.join(unserved)}"
        return Check("networks", Verdict.BAD, what, "write the subnet of its block in each compose file")
    if left < FEW_NETWORKS:
        return Check(
            "networks", Verdict.WARN, what, "on its machine: docker network prune; or set default-address-pools"
        )
    return Check("networks", Verdict.OK, what)


def _wants_pool(service: Service, facts: Facts) -> bool:
    """Return whether a service will need a network of Docker's pool."""
    bridged = any(not container.host_network for container in service.containers)
    return bridged and not service.subnets and service.name not in facts.present


def _ports(facts: Facts, collective: Collective) -> Check:
    if facts.machine is None:
        return Check("ports", Verdict.WARN, f"unknown: {facts.unknown}", "make an image for this check: darkpeak base")
    wanted: dict[int, str] = {}
    for service in collective.services:
        if service.name == ROUTER and ROUTER not in facts.present:
            wanted |= dict.fromkeys(collective.router.all, ROUTER)
            wanted |= {route.public: ROUTER for other in collective.services for route in other.routes.tcp}
        elif service.name not in facts.present:
            wanted |= {number: service.name for port in service.ports for number in port.published}
    taken = [f"{port} (for {name})" for port, name in sorted(wanted.items()) if port in facts.machine.listening]
    if taken:
        what = f"in use by another program: {', '.join(taken)}"
        return Check(
            "ports", Verdict.BAD, what, "on its machine, find it with ss -tlnp, and stop it or change its port"
        )
    return Check("ports", Verdict.OK, "the ports of the router and of all services are free, or used by them")


def _subnets(facts: Facts, collective: Collective) -> Check:
    ours = {service.project for service in collective.services}
    foreign = [network for network in facts.networks if network.project not in ours]
    networks = [(subnet, network.name) for network in foreign for subnet in network.subnets]
    routes = [(subnet, "a route of its machine") for subnet in (facts.machine.routes if facts.machine else ())]
    wanted = [(service.name, subnet) for service in collective.services for subnet, _ in service.subnets]
    for others, verdict in ((networks, Verdict.BAD), (routes, Verdict.WARN)):
        overlaps = (
            f"{subnet} of {service} overlaps with {name} ({other})"
            for service, subnet in wanted
            for other, name in others
            if overlap(subnet, other)
        )
        what = next(overlaps, "")
        if what:
            return Check("subnets", verdict, what, "change that one, or give the service another block")
    return Check("subnets", Verdict.OK, "no conflict with other networks")


def _names(facts: Facts, collective: Collective) -> Check:
    domain = collective.domain
    if facts.resolved:
        return Check("names", Verdict.OK, f"*.{domain} resolves to {', '.join(facts.resolved)}")
    if domain.rpartition(".")[2] == "localhost":
        what = f"curl and browsers resolve *.{domain}, but other programs do not"
        return Check("names", Verdict.WARN, what, "apt-get install libnss-myhostname")
    hint = f"on a laptop: darkpeak dns setup; otherwise make a DNS record *.{domain} with the router's address"
    return Check("names", Verdict.BAD, f"*.{domain} does not resolve on this machine", hint)


def _size(octets: int) -> str:
    return f"{octets / GIB:.1f} GiB" if octets >= GIB else f"{octets // MIB} MiB"
