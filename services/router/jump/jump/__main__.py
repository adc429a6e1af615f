"""The server. It has no network.

haproxy passes clients to it by one socket. It connects them to haproxy by another socket, with the name that they
requested. Clients need no login here: the service decides who may do what.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import asyncssh

from .routes import find, proxy_header

KEY = Path("/var/lib/jump/host_key")
SOCKET = Path("/run/sockets/jump")
ONWARD = "/run/sockets/onward"
MOST_IDLE = 200  # clients that are not connected to a service
MOST_RELAYS = 20  # connections of one client at the same time

Reader = asyncssh.SSHReader[bytes]
Writer = asyncssh.SSHWriter[bytes]


async def copy(reader: Reader | asyncio.StreamReader, writer: Writer | asyncio.StreamWriter) -> None:
    """Copy all data until the end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (OSError, asyncssh.Error):
        writer.close()


class Jump(asyncssh.SSHServer):
    """Accepts everyone, but only for a connection to a declared ssh route.

    Clients that are not connected to a service are kept until there are too many of them: then the oldest has to go.
    So those that only open connections, and never request a service, leave room for the next one that does.
    """

    idle: ClassVar[dict[asyncssh.SSHServerConnection, None]] = {}  # the oldest first

    def __init__(self) -> None:
        """Start without a connection to a service."""
        self.relays = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count the client as idle until it requests a service."""
        self.conn = conn
        self.idle[conn] = None
        if len(self.idle) > MOST_IDLE:
            oldest = next(iter(self.idle))
            del self.idle[oldest]
            oldest.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # every end is the same
        """Forget the client."""
        self.idle.pop(self.conn, None)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 # there are no users here
        """Require no password and no key."""
        return False

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002 # the client can claim any
        orig_port: int,  # noqa: ARG002
    ) -> Callable[[Reader, Writer], Coroutine[Any, Any, None]]:
        """Connect to a declared ssh route; refuse everything else."""
        name = find(dest_host, dest_port)
        if name is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "there is no such ssh route")
        if self.relays >= MOST_RELAYS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "this client has too many connections")
        self.relays += 1
        self.idle.pop(self.conn, None)

        async def relay(reader: Reader, writer: Writer) -> None:
            try:
                answer, request = await asyncio.open_unix_connection(ONWARD)
                request.write(proxy_header(name))
                await asyncio.gather(copy(reader, request), copy(answer, writer))
                request.close()
                writer.close()
            finally:
                self.relays -= 1

        return relay


def bind() -> socket.socket:
    """Return the socket that haproxy connects to."""
    SOCKET.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(SOCKET))
    SOCKET.chmod(0o666)
    return bound


async def serve(listening: socket.socket) -> None:
    """Serve until the process is stopped."""
    server = await asyncssh.listen(
        sock=listening,
        server_factory=Jump,
        server_host_keys=[KEY],
        encoding=None,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        login_timeout=30,
        keepalive_interval=60,
    )
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(bind()))
