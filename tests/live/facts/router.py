"""The router: the collective's CA, which members' machines trust; https with its certificate; and a route."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PORT = 6999
ANSWER = b"by name"


def write(collective: Collective) -> str:
    route = f'printf "fact {PORT}\\n" >"$STATE/next/http.map" && apply'
    collective.execute("router", "haproxy", "sh", "-c", route)
    return authority(collective)


def check(collective: Collective, written: str) -> None:
    assert authority(collective) == written
    key = collective.execute("router", "haproxy", "openssl", "pkey", "-in", "/ca/ca.key", "-pubout").stdout
    certified = collective.execute("router", "haproxy", "openssl", "x509", "-in", "/ca/ca.crt", "-noout", "-pubkey")
    assert key == certified.stdout
    with listener():
        assert get_through(written) == ANSWER


def authority(collective: Collective) -> str:
    """Return the CA's certificate, as a member gets it."""
    return collective.execute("router", "haproxy", "cat", "/trust/ca.crt").stdout


@contextmanager
def listener() -> Iterator[None]:
    """Run a web server at the route's port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def get_through(authority: str) -> bytes:
    """Return the answer of https://fact.localhost:7443/, whose certificate is verified with the CA."""
    trust = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection(("127.0.0.1", 7443), timeout=10) as connection,
        trust.wrap_socket(connection, server_hostname="fact.localhost") as tls,
    ):
        tls.sendall(b"GET / HTTP/1.1\r\nHost: fact.localhost\r\nConnection: close\r\n\r\n")
        with tls.makefile("rb") as answer:
            return answer.read().partition(b"\r\n\r\n")[2]


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Add routes all the time."""
    lines = [f"fact {PORT}"]

    def come(number: int) -> str:
        lines.append(f"busy{number} {PORT}")
        route = 'cat >"$STATE/next/http.map" && apply'
        collective.execute("router", "haproxy", "sh", "-c", route, stdin="".join(f"{line}\n" for line in lines))
        return lines[-1]

    with under(come) as load:
        yield load


def found(collective: Collective) -> set[str]:
    """Return the routes of the running router; check that its files have the same."""
    kept = collective.execute("router", "haproxy", "sh", "-c", 'cat "$STATE/http.map"').stdout
    ask = 'echo "show map $STATE/http.map" | socat - /run/haproxy/sock'
    shown = collective.execute("router", "haproxy", "sh", "-c", ask).stdout
    known = {" ".join(line.split()[1:]) for line in shown.splitlines() if line.strip()}
    assert known == set(kept.splitlines())
    return known
