"""No request fails while the router is changed: wrk sends requests, and WebSockets are open."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from darkpeak.router.routes import Route
from tests.live import wrk
from tests.live.routed import FIRST, HTTP, SECOND, TABLE, Routed, serving, start
from tests.live.test_router import UPGRADE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective
    from tests.conftest import Campaign

SOCKETS = 50
SWAPPED = 6918  # and the next port


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Iterator[Routed]:
    """Return a router with two services behind it."""
    collective.compose("router", "up", "-d", "--build", "--wait", timeout=600)
    with serving(FIRST, SECOND):
        routed = Routed(collective)
        routed.router.apply(TABLE)
        yield routed


@contextmanager
def load(*headers: str) -> Iterator[wrk.Load]:
    """Send requests until the block ends, and keep WebSockets open."""
    sockets = [open_socket() for _ in range(SOCKETS)]
    with wrk.load(wrk.stream(f"http://127.0.0.1:{HTTP}/", *headers, connections=16)) as seen:
        yield seen
    for number, each in enumerate(sockets):
        each.sendall(b"%d" % number)
        assert each.recv(100) == b"%d" % number, "a WebSocket was closed"
        each.close()


def open_socket() -> socket.socket:
    """Open a WebSocket through the router."""
    connection = socket.create_connection(("127.0.0.1", HTTP), timeout=20)
    connection.sendall(UPGRADE.replace(b"one.", b"two."))
    assert connection.recv(4096).startswith(b"HTTP/1.1 101")
    return connection


def end(process: subprocess.Popen[bytes]) -> None:
    """End a backend, as `docker stop` does."""
    process.terminate()
    process.wait(timeout=20)


KEPT, NEW = ("Host: one.localhost",), ("Host: one.localhost", wrk.NEW_CONNECTIONS)


def settled(seen: wrk.Load, say: Callable[[str], None], what: str) -> None:
    """Check that no request failed, and print the measurement."""
    say(f"{what}: {seen}")
    assert seen.failed == 0, seen.printed
    assert min(seen.requests) > 100


@pytest.mark.parametrize("headers", [KEPT, NEW], ids=["kept connections", "new connections"])
def test_map_changes(routed: Routed, campaign: Campaign, say: Callable[[str], None], headers: tuple[str, ...]) -> None:
    number = campaign(10_000)
    lines = "".join(f"set map /var/lib/router/http.map one {FIRST + each % 2}\n" for each in range(number))
    with load(*headers) as seen:
        routed.execute("socat", "-t", "60", "-", "/run/haproxy/sock", stdin=f"prompt\n{lines}quit\n")
    settled(seen, say, f"{number} map changes")
    routed.router.apply(TABLE)


def test_whole_tables_put_in_place(routed: Routed, campaign: Campaign, say: Callable[[str], None]) -> None:
    number = campaign(300)
    with load(*KEPT) as seen:
        for each in range(number):
            routed.router.apply(replace(TABLE, http=(Route("one", FIRST + each % 2), Route("two", SECOND))))
    settled(seen, say, f"{number} tables")
    routed.router.apply(TABLE)


@pytest.mark.parametrize("headers", [KEPT, NEW], ids=["kept connections", "new connections"])
def test_a_reload_each_second(
    routed: Routed, campaign: Campaign, say: Callable[[str], None], headers: tuple[str, ...]
) -> None:
    number = campaign(60)
    with load(*headers) as seen:
        for _ in range(number):
            routed.execute("sh", "-c", "echo reload | socat -t 30 - /run/haproxy/master.sock")
            time.sleep(1)
    settled(seen, say, f"{number} reloads")


def test_a_service_swapped_for_a_new_one(routed: Routed, campaign: Campaign, say: Callable[[str], None]) -> None:
    number = campaign(50)
    old = start(SWAPPED)
    routed.router.apply(replace(TABLE, http=(Route("one", SWAPPED), Route("two", SECOND))))
    with load(*KEPT) as seen:
        for each in range(1, number + 1):
            port = SWAPPED + each % 2
            new = start(port)
            routed.router.apply(replace(TABLE, http=(Route("one", port), Route("two", SECOND))))
            time.sleep(0.5)
            end(old)
            old = new
    settled(seen, say, f"{number} swaps")
    routed.router.apply(TABLE)
    end(old)


def test_a_service_restarted_with_a_gap(routed: Routed, say: Callable[[str], None]) -> None:
    old = start(SWAPPED)
    routed.router.apply(replace(TABLE, http=(*TABLE.http, Route("gap", SWAPPED))))
    with load("Host: gap.localhost") as seen:
        end(old)
        time.sleep(5)
        new = start(SWAPPED)
        time.sleep(3)
    end(new)
    settled(seen, say, "a gap of five seconds")
    routed.router.apply(TABLE)
