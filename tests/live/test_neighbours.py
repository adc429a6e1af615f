"""A machine in the same network reaches containers only through the router, also with an engine before 28."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from darkpeak.system.base import FIREWALL_TEXT
from lab import toy
from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

SIX = "fd00:60::/64"
# A second way to the same machine is a second network card.
LINKS = {"first": ("198.51.100.2", "198.51.100.1", "fd00:1::"), "second": ("203.0.113.2", "203.0.113.1", "fd00:2::")}
CURL = ["curl", "--silent", "--fail", "--globoff", "--output", "/dev/null", "--max-time", "2"]
TARGETS = {
    "tcp": [*CURL, "http://10.69.0.2/"],
    "udp": ["dig", "+time=1", "+tries=1", "+short", "@10.60.50.2", "wiki.localhost"],
    "IPv6": [*CURL, "http://[fd00:60::2]/"],
    # The engine publishes on loopback by changing the address before anything checks that it came from outside.
    "a port on loopback": [*CURL, "http://127.0.0.1:6905/"],
}
ROUTER = [*CURL, "-H", "Host: hello.localhost", "http://198.51.100.1:7080/"]
OPEN = [*CURL, "http://198.51.100.1:8069/"]


@pytest.fixture(scope="module")
def neighbours(collective: Collective) -> Iterator[Collective]:
    """Yield a collective with two neighbours, each a network namespace at a cable of its own."""
    toy.add(collective)
    collective.darkpeak("up", "router", "dns", toy.NAME, timeout=600)
    docker = ["docker", "--host", collective.host.docker_host]
    run([*docker, "network", "create", "--ipv6", "--subnet", SIX, "--subnet", "10.69.1.0/24", "six"])
    page = ["busybox", "httpd", "-f", "-p", "80", "-h", "/page"]
    run([*docker, "run", "-d", "--name", "six", "--network", "six", "-p", "8069:80", "darkpeak-hello-web", *page])
    for name, (address, host, six) in LINKS.items():
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", name])
        run(["ip", "address", "add", f"{host}/30", "dev", name])
        run(["ip", "address", "add", f"{six}1/64", "dev", name, "nodad"])
        run(["ip", "link", "set", name, "up"])
        inside = ["ip", "netns", "exec", name]
        run([*inside, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1"])
        run([*inside, "ip", "address", "add", f"{address}/30", "dev", "uplink"])
        run([*inside, "ip", "address", "add", f"{six}2/64", "dev", "uplink", "nodad"])
        run([*inside, "ip", "link", "set", "uplink", "up"])
        for where in ("10.60.0.0/16", "10.69.0.0/16", "127.0.0.1/32"):
            run([*inside, "ip", "route", "add", where, "via", host])
        run([*inside, "ip", "-6", "route", "add", SIX, "via", f"{six}1"])
    run(["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"])
    yield collective
    for name in LINKS:
        run(["ip", "netns", "delete", name])
    run(["nft", "delete", "table", "inet", "darkpeak"], check=False)
    run([*docker, "rm", "-f", "six"])
    run([*docker, "network", "rm", "six"])


def reached() -> set[tuple[str, str]]:
    """Return what each neighbour reaches of the containers."""
    return {
        (name, what)
        for name in LINKS
        for what, argv in TARGETS.items()
        if not run(["ip", "netns", "exec", name, *argv], check=False).returncode
    }


def doctor(collective: Collective) -> dict[str, str]:
    checks: list[dict[str, str]] = json.loads(collective.darkpeak("doctor", "--json", check=False).stdout)
    return next(check for check in checks if check["check"] == "neighbours")


def test_neighbours_reach_containers_until_the_firewall_is_there(neighbours: Collective) -> None:
    assert {what for _, what in reached()} >= {"tcp", "udp", "IPv6"}, "this engine is closed: the test proves nothing"
    found = doctor(neighbours)
    assert found["verdict"] == "warn"
    assert "dns 10.60.50.2:53, dns 10.60.50.2:53/udp" in found["what"]

    run(["nft", "-f", "-"], stdin=FIREWALL_TEXT.format(ports="22, 7080, 7443"))
    assert reached() == set()
    assert doctor(neighbours)["verdict"] == "ok"
    neighbours.host.kill_engine()
    neighbours.host.start_engine()
    for service in ("router", "dns", toy.NAME):
        neighbours.compose(service, "up", "-d", "--wait", "--no-recreate", timeout=300)
    run(["docker", "--host", neighbours.host.docker_host, "start", "six"])
    assert reached() == set()

    # What is meant to be reached still is: the router, a port that somebody published for all, and the way out.
    for argv in (ROUTER, OPEN):
        run(["ip", "netns", "exec", "first", *argv])
    outside = ["busybox", "wget", "-q", "-O", "/dev/null", "http://10.69.0.2/"]
    neighbours.execute(toy.NAME, "web", *outside)
    neighbours.execute(toy.NAME, "web", "busybox", "ping", "-c", "1", "198.51.100.2")
