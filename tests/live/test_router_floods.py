"""Very many connections that do nothing: other services, and other clients, do not notice them."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import pytest

from darkpeak.router.routes import Route, TcpRoute
from lab.commands import run
from tests.live.flood import flood
from tests.live.routed import FIRST, HTTP, HTTPS, SECOND, SSH, TABLE, Routed, send, serving
from tests.live.test_router_attacks import request, slowest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective
    from tests.conftest import Campaign

STREAM = 5222
ADDRESSES = 20
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the first bytes of TLS
WINDOWS = 3  # of 200 requests


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Iterator[Routed]:
    """Yield a router with a web service, a tcp route and an ssh route."""
    collective.compose("router", "up", "-d", "--build", "--wait", timeout=600)
    with serving(FIRST, SECOND):
        routed = Routed(collective)
        tcp = (TcpRoute(STREAM, FIRST, "chat"), TcpRoute(STREAM + 1, FIRST, "mail"))
        routed.router.apply(replace(TABLE, ssh=(Route("git", SECOND),), tcp=tcp))
        yield routed


@pytest.mark.parametrize(
    ("port", "data", "number"),
    [
        pytest.param(STREAM, b"", 42_000, id="idle streams"),
        pytest.param(STREAM, b"<stream>", 4_200, id="streams that said one thing"),
        pytest.param(SSH, b"SSH-2.0-x\r\n", 2_100, id="half-open ssh"),
        pytest.param(SSH, HELLO, 4_200, id="half-open TLS for ssh"),
        pytest.param(HTTPS, HELLO, 42_000, id="half-open TLS"),
        pytest.param(HTTP, b"", 42_000, id="http without a request"),
        pytest.param(HTTP, b"GET / HTTP/1.1\r\nHost: one.localhost\r\n\r\n", 4_200, id="idle after a request"),
    ],
)
@pytest.mark.usefixtures("routed")
def test_a_flood_of_connections_harms_nobody_else(
    port: int, data: bytes, number: int, campaign: Campaign, say: Callable[[str], None]
) -> None:
    before = median(slowest() for _ in range(WINDOWS))
    with flood(port, campaign(number), data, addresses=ADDRESSES):
        during = median(slowest() for _ in range(WINDOWS))  # each of the requests must be answered
        assert "there is no such ssh route" in asked_jump(), "a client of the jump server is answered"
        assert reaches_a_service(STREAM + 1), "a client of another tcp route is answered"
        assert reaches_a_service(STREAM), "a client of this tcp route is answered"
    say(f"p99 {1000 * before:.1f} ms, in the flood {1000 * during:.1f} ms: {during / before:.1f} times")


def asked_jump() -> str:
    """Return what a client of the jump server is told about a name that it does not lead to."""
    options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=10"]
    command = ["ssh", *(part for option in options for part in ("-o", option)), "-p", str(SSH), "-W", "no:22"]
    return run([*command, "127.0.0.1"], check=False, timeout=30).stderr


def reaches_a_service(port: int) -> bool:
    """Return whether the service behind a tcp route answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request("Host: x"))
        return connection.recv(12) == b"HTTP/1.1 200"


@pytest.mark.usefixtures("routed")
def test_one_client_may_be_a_whole_house() -> None:
    """Two hundred people behind one address: each has a chat, and a browser with six connections."""
    with flood(STREAM, 200), flood(HTTP, 6 * 200):
        assert reaches_a_service(STREAM)
        assert send(request("Host: two.localhost", "Connection: close")).startswith(b"HTTP/1.1 200")


def test_the_frontends_limits_were_met_before_the_global_one(routed: Routed) -> None:
    info = routed.execute("sh", "-c", "echo show info | socat - UNIX-CONNECT:/run/haproxy/sock")
    assert "MaxconnReached: 0" in info.splitlines()


def test_http_leads_to_https_while_there_is_a_certificate_that_everyone_trusts(routed: Routed) -> None:
    now = int(time.time())
    for line in (f"one.localhost {now + 1000}", f"two.localhost {now - 10}", f"*.peak.localhost {now + 1000}"):
        command = f"add map /var/lib/certificates/acme/trusted.map {line}"
        routed.execute("sh", "-c", f"echo '{command}' | socat - UNIX-CONNECT:/run/haproxy/sock")
    led = {
        "one.localhost:7080": f"https://one.localhost:{HTTPS}/a?b=c%20d",
        "one.localhost": "https://one.localhost/a?b=c%20d",  # port 80 of another machine, which forwards it
        "two.localhost": "",
    }
    assert {host: routed.get(host, "/a?b=c%20d").headers.get("location", "") for host in led} == led
    assert routed.get("one.localhost", "/", "-X", "POST").status == 308, "it keeps the method"
    assert routed.get("one.localhost", "/.well-known/acme-challenge/x").status == 200, "challenges stay"
    assert routed.execute("probe", "one.localhost").split()[1] == "200"
