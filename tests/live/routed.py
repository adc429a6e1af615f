"""A router under test: started with plain compose, changed with the tool's own code, and used with raw requests."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from darkpeak.engine.engine import Engine
from darkpeak.engine.inside import Inside
from darkpeak.router.control import STATE, Router
from darkpeak.router.files import parse as parse_table
from darkpeak.router.routes import Route, Table
from lab.collectives import TOP, Collective
from lab.commands import Result, run, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP, HTTPS, SSH = 7080, 7443, 7022
FIRST, SECOND = 6911, 6912
WHOLE = "www.shop.example"
TABLE = Table(("localhost",), (Route("one", FIRST), Route("two", SECOND), Route("dead", 6913), Route(WHOLE, FIRST)))


def start_alone(collective: Collective) -> Routed:
    """Start the router without its prober, whose requests come at any time and would be counted with a test's own."""
    collective.compose("router", "up", "-d", "--build", "--wait", "haproxy", "certificates", "jump", timeout=600)
    return Routed(collective)


@dataclass(frozen=True)
class Answer:
    """An answer to a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The backend's description of the request that it received."""
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def by_router(self) -> str:
        """Why the router answered itself; empty if a service answered."""
        return self.headers.get("x-router", "")


@dataclass
class Routed:
    """The router of a collective on this host."""

    collective: Collective

    @cached_property
    def router(self) -> Router:
        """The tool's object for the router."""
        return Router(self.inside)

    @property
    def inside(self) -> Inside:
        """The router's container."""
        return Inside(Engine(self.collective.host.docker_host), self.container)

    def table(self) -> Table:
        """Return the table in its files."""
        return parse_table(self.inside.read_folder(STATE))

    @property
    def container(self) -> str:
        """The id of haproxy's container."""
        return self.collective.compose("router", "ps", "-q", "haproxy").stdout.strip()

    def execute(self, *argv: str, stdin: str = "") -> str:
        """Run a program in the container."""
        return self.collective.execute("router", "haproxy", *argv, stdin=stdin, timeout=120).stdout

    def get(self, host: str, path: str = "/", *options: str) -> Answer:
        """Request a path of a host name with curl."""
        url = f"http://127.0.0.1:{HTTP}{path}"
        return parse(curl("-H", f"Host: {host}", *options, url).stdout.encode())


def curl(*options: str) -> Result:
    """Run curl; its output includes the headers."""
    return run(["curl", "-s", "-i", "--max-time", "20", "--globoff", *options], check=False)


def parse(raw: bytes) -> Answer:
    """Return the answer in these bytes."""
    head, _, body = raw.replace(b"\n\r\n", b"\n\n", 1).partition(b"\n\n")
    first, *lines = head.decode("latin-1").splitlines() or ["HTTP/1.1 0"]
    split = (line.partition(":") for line in lines)
    return Answer(int(first.split()[1]), {key.lower(): value.strip() for key, _, value in split}, body)


def send(data: bytes, *, seconds: float = 5) -> bytes:
    """Send bytes to the router's http port; return all that it sends until it closes, or until the time is over."""
    with socket.create_connection(("127.0.0.1", HTTP), timeout=seconds) as connection:
        return talk(connection, data)


def talk(connection: socket.socket, data: bytes) -> bytes:
    """Send bytes; return the answer."""
    got = b""
    with suppress(TimeoutError, ConnectionError):
        connection.sendall(data)
        while piece := connection.recv(65536):
            got += piece
    return got


@contextmanager
def serving(*ports: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a backend at each of these ports."""
    processes = [start(port) for port in ports]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def start(port: int) -> subprocess.Popen[bytes]:
    """Start a backend, and wait until it answers."""
    process = subprocess.Popen([sys.executable, "-m", "tests.live.backend", str(port)], cwd=TOP)
    wait_for(f"backend on {port}", lambda: answers(port), timeout=20, pause=0.02)
    return process


def answers(port: int) -> bool:
    """Return whether a program listens on the port."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
