"""A web service to route to: python -m tests.live.backend PORT. It shows what it received, and echoes WebSockets.

/seen lists every request so far · /slow answers after two seconds · any other path answers with the request, as JSON.
After SIGTERM it accepts no new connection, and closes each open one with its next answer, as a good service does.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import ClassVar, NamedTuple

END = b"\r\n\r\n"
UPGRADED = (  # the answer to the example key in RFC 6455
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Request(NamedTuple):
    """One request, as it was received."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), "")


class Service(asyncio.Protocol):
    """One connection."""

    seen: ClassVar[list[str]] = []
    ending: ClassVar[bool] = False

    def __init__(self) -> None:
        """Start with an empty buffer."""
        self.buffer = b""
        self.echoes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport, for answers."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        if self.echoes:
            self.transport.write(data)
            return
        self.buffer += data
        while request := self._take():
            self.seen.append(f"{request.method} {request.path}")
            self._answer(request)

    def _take(self) -> Request | None:
        head, end, rest = self.buffer.partition(END)
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(key.lower(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]
        method, path, _ = first.split(" ", 2)
        bare = Request(method, path, headers, "")
        if bare.header("transfer-encoding") == "chunked":
            body, whole, rest = _chunks(rest)
        else:
            length = int(bare.header("content-length") or 0)
            body, whole, rest = rest[:length], len(rest) >= length, rest[length:]
        if not whole:
            return None
        self.buffer = rest
        return bare._replace(body=body.decode("latin-1"))

    def _answer(self, request: Request) -> None:
        if request.header("upgrade"):
            self.echoes = True
            self.transport.write(UPGRADED)
        elif request.path == "/slow":
            asyncio.get_running_loop().call_later(2, self._say, {"path": "/slow"})
        else:
            self._say(self.seen if request.path == "/seen" else request._asdict())

    def _say(self, value: object) -> None:
        body = json.dumps(value).encode()
        last = b"Connection: close\r\n" if Service.ending else b""
        self.transport.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (last, len(body), body))
        if last:
            self.transport.close()


def _chunks(data: bytes) -> tuple[bytes, bool, bytes]:
    """Return a chunked body, whether it is complete, and the bytes after it."""
    body = b""
    while b"\r\n" in data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if len(data) < length + 2:
            break
        body, data = body + data[:length], data[length + 2 :]
        if not length:
            return body, True, data
    return body, False, b""


async def serve(port: int) -> None:
    """Serve until SIGTERM, and a second longer."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Service, "127.0.0.1", port, backlog=4096)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    await asked.wait()
    Service.ending = True
    server.close()
    await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
