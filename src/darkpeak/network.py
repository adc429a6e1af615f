"""Small checks of the network: what a name resolves to, whether a port is free, whether an engine answers."""

import errno
import socket
from contextlib import suppress
from pathlib import Path

from darkpeak.errors import UsageError
from darkpeak.vocabulary import LOOPBACK

PING = b"GET /_ping HTTP/1.0\r\n\r\n"
ANSWER_SECONDS = 20


def resolve(name: str) -> tuple[str, ...]:
    """Return the addresses to which this machine's C library resolves a name; none if it does not resolve."""
    try:
        return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None)}))
    except OSError:
        return ()


def engine_answers(at: Path | tuple[str, int]) -> bool:
    """Return whether a Docker engine answers at a socket's path, or at a host and port."""
    with suppress(OSError), _connect(at) as client:
        client.sendall(PING)
        return client.recv(4096).startswith(b"HTTP/1.")
    return False


def _connect(at: Path | tuple[str, int]) -> socket.socket:
    if isinstance(at, tuple):
        return socket.create_connection(at, timeout=ANSWER_SECONDS)
    client = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(ANSWER_SECONDS)
        client.connect(str(at))
    except OSError:
        client.close()
        raise
    return client


def check_free(port: int) -> None:
    """Check that no program listens on a port of the loopback.

    Raises:
        UsageError: when a program does, or when the port may not be used.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise UsageError(
                f"port {port} {why}", hint="is another tunnel open? choose a free port with --port"
            ) from error


def free_port() -> int:
    """Return a port of the loopback that no program uses."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
