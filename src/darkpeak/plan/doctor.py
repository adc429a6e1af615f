"""What a daemon needs to run a collective well: facts give checks, each with what to do. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

from darkpeak.collective.model import Collective, Service
from darkpeak.plan.facts import Facts, HostMachine
from darkpeak.vocabulary import GIB, MIB, ROUTER

LEAST_ENGINE, LEAST_COMPOSE = (20, 10), (2, 20)
DISK_BAD, DISK_WARN = 1 * GIB, 3 * GIB
MEMORY_BAD, MEMORY_WARN, MEMORY_LEAST = 96 * MIB, 256 * MIB, 900 * MIB
CLOCK_WARN, CLOCK_BAD = 5.0, 60.0  # seconds
FEW_NETWORKS, FEW_INODES = 3, 5  # networks; per cent
# What Docker takes networks from where nobody says otherwise: base, and how long each network's prefix is.
OWN_POOLS = (*((f"172.{number}.0.0/16", 16) for number in range(17, 32)), ("192.168.0.0/16", 20))


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, how it is, and what to do about it."""

    check: str
    verdict: Verdict
    what: str
    hint: str = ""
    host: str = ""


def evaluate(facts: Facts, collective: Collective | None) -> list[Check]:
    """Return every check of one daemon for a collective; without one, those that need none."""
    checks = [_compose(facts), *_daemon(facts)]
    if facts.failure:
        return checks
    checks += [*_resources(facts), _clock(facts), _proxy(facts), _pools(facts, collective)]
    if collective:
        checks += [_ports(facts, collective), _subnets(facts, collective), _names(facts, collective)]
    return checks


def version(written: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version: 20.10.24+dfsg1 has 20, 10 and 24."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", written)
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def _compose(facts: Facts) -> Check:
    least = ".".join(map(str, LEAST_COMPOSE))
    if not facts.compose:
        return Check("compose", Verdict.BAD, "there is no docker compose plugin here", "bin/demo installs one")
    if version(facts.compose) < LEAST_COMPOSE:
        what = f"docker compose {facts.compose} is older than {least}"
        return Check("compose", Verdict.BAD, what, "bin/demo brings one")
    return Check("compose", Verdict.OK, f"docker compose {facts.compose}")


def _daemon(facts: Facts) -> Iterator[Check]:
    if facts.failure:
        yield Check("daemon", Verdict.BAD, facts.failure, facts.failure_hint)
        return
    if version(facts.engine) < LEAST_ENGINE:
        what = f"Docker {facts.engine} is older than {'.'.join(map(str, LEAST_ENGINE))}"
        yield Check("daemon", Verdict.BAD, what, "apt-get install docker.io from Debian 12 or newer, on its machine")
    else:
        yield Check("daemon", Verdict.OK, f"Docker {facts.engine} at {facts.daemon}")
    if facts.open_to_all:
        what = f"{facts.daemon} has no TLS: whoever reaches it is root there"
        yield Check("access", Verdict.BAD, what, "reach it by ssh://USER@HOST, and close that port")


def _resources(facts: Facts) -> Iterator[Check]:
    machine = facts.machine
    if machine is None:
        yield Check("disk", Verdict.WARN, f"not known: {facts.unknown}", "darkpeak base, then again")
        return
    free = f"{_size(machine.disk_free)} of {_size(machine.disk_total)} free"
    hint = "docker image prune and docker builder prune there; or a larger disk"
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
        return Check("memory", Verdict.BAD, f"only {free}", "stop a service, or add memory: what starts now is killed")
    if machine.memory_free < MEMORY_WARN or facts.memory_total < MEMORY_LEAST:
        return Check("memory", Verdict.WARN, free, "1 GiB holds router, directory and a wiki; more need more")
    return Check("memory", Verdict.OK, free)


def _clock(facts: Facts) -> Check:
    off = abs(facts.clock_ahead)
    if off < CLOCK_WARN:
        return Check("clock", Verdict.OK, "agrees with ours")
    what = f"is {off:.0f} s {'ahead of' if facts.clock_ahead > 0 else 'behind'} ours"
    hint = "one of the two is wrong: apt-get install systemd-timesyncd"
    return Check("clock", Verdict.BAD if off >= CLOCK_BAD else Verdict.WARN, what, hint)


def _proxy(facts: Facts) -> Check:
    if facts.proxy is None:
        return Check("userland-proxy", Verdict.WARN, f"not known: {facts.unknown}", "darkpeak base, then again")
    if facts.proxy:
        what = "on: it costs a third of the requests per second"
        return Check("userland-proxy", Verdict.WARN, what, '"userland-proxy": false in its /etc/docker/daemon.json')
    return Check("userland-proxy", Verdict.OK, "off")


def _pools(facts: Facts, collective: Collective | None) -> Check:
    pools = [(IPv4Network(base), size) for base, size in facts.pools or OWN_POOLS if ":" not in base]
    room = sum(2 ** max(0, size - pool.prefixlen) for pool, size in pools)
    known = [IPv4Network(subnet) for network in facts.networks for subnet in network.subnets if ":" not in subnet]
    left = room - sum(any(subnet.overlaps(pool) for pool, _ in pools) for subnet in known)
    needy = [service.name for service in (collective.services if collective else ()) if _wants_pool(service, facts)]
    what = f"room for {max(0, left)} more networks without a subnet of their own"
    if left < len(needy):
        what = f"{what}, and {', '.join(needy)} bring none"
        return Check("networks", Verdict.BAD, what, "give each its block's subnet")
    if left < FEW_NETWORKS:
        return Check("networks", Verdict.WARN, what, "docker network prune there; or default-address-pools")
    return Check("networks", Verdict.OK, what)


def _wants_pool(service: Service, facts: Facts) -> bool:
    """Whether a service has yet to be given a network, and brings no subnet for it."""
    bridged = any(not container.host_network for container in service.containers)
    return bridged and not service.subnets and service.name not in facts.present


def _ports(facts: Facts, collective: Collective) -> Check:
    if facts.machine is None:
        return Check("ports", Verdict.WARN, f"not known: {facts.unknown}", "darkpeak base, then again")
    wanted: dict[int, str] = {}
    for service in collective.services:
        if service.name == ROUTER and ROUTER not in facts.present:
            wanted |= dict.fromkeys(collective.router.all, ROUTER)
            wanted |= {route.public: ROUTER for other in collective.services for route in other.routes.tcp}
        elif service.name not in facts.present:
            wanted |= {number: service.name for port in service.ports for number in port.published}
    taken = [f"{port} ({name}'s)" for port, name in sorted(wanted.items()) if port in facts.machine.listening]
    if taken:
        what = f"taken by something else: {', '.join(taken)}"
        return Check("ports", Verdict.BAD, what, "ss -tlnp there says who; stop it, or move it")
    return Check("ports", Verdict.OK, "those of the router and of all blocks are free, or ours")


def _subnets(facts: Facts, collective: Collective) -> Check:
    ours = {service.project for service in collective.services}
    foreign = [network for network in facts.networks if network.project not in ours]
    networks = [(subnet, network.name) for network in foreign for subnet in network.subnets]
    routes = [(subnet, "a route of its machine") for subnet in (facts.machine.routes if facts.machine else ())]
    wanted = [(service.name, subnet) for service in collective.services for subnet, _ in service.subnets]
    for others, verdict in ((networks, Verdict.BAD), (routes, Verdict.WARN)):
        met = (
            f"{service}'s {subnet} meets {name} ({other})"
            for service, subnet in wanted
            for other, name in others
            if _overlap(subnet, other)
        )
        what = next(met, "")
        if what:
            return Check("subnets", verdict, what, "move that one, or give the service another block")
    return Check("subnets", Verdict.OK, "nobody else uses those of the blocks")


def _overlap(one: str, other: str) -> bool:
    if ":" in one or ":" in other:
        return False
    try:
        return IPv4Network(one, strict=False).overlaps(IPv4Network(other, strict=False))
    except ValueError:
        return False


def _names(facts: Facts, collective: Collective) -> Check:
    domain = collective.domain
    if facts.resolved:
        return Check("names", Verdict.OK, f"*.{domain} leads to {', '.join(facts.resolved)}")
    if domain.rpartition(".")[2] == "localhost":
        what = f"*.{domain}: curl and browsers find it by themselves, getent and programs of its kind do not"
        return Check("names", Verdict.WARN, what, "apt-get install libnss-myhostname")
    hint = f"on a laptop darkpeak dns setup; else a DNS record *.{domain} with the address of the router's machine"
    return Check("names", Verdict.BAD, f"*.{domain} leads nowhere from here", hint)


def _size(octets: int) -> str:
    return f"{octets / GIB:.1f} GiB" if octets >= GIB else f"{octets // MIB} MiB"
