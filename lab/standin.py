"""Engines that are only looked at: small servers on loopback that answer as an engine on which nothing runs."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWERS: dict[str, Any] = {
    "version": {"ApiVersion": "1.43", "MinAPIVersion": "1.12", "Version": "24.0.0"},
    "volumes": {"Volumes": [], "Warnings": []},
    "containers/json": [],
    "images/json": [],
    "networks": [],
}


@contextmanager
def engines(delays: Sequence[float]) -> Iterator[list[str]]:
    """Yield the URIs of engines, each of which answers after its own delay, in seconds."""
    with ExitStack() as stack:
        yield [stack.enter_context(_engine(delay)) for delay in delays]


@contextmanager
def _engine(delay: float) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer each request with what is known for its path."""
            time.sleep(delay)
            path = self.path.partition("?")[0].strip("/")
            known = ANSWERS.get(path if path in ANSWERS else "version")
            body = json.dumps(known).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"tcp://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
