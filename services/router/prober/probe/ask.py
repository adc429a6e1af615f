"""Ask one route as a client would; the answer is a state, and the cause if it does not answer."""

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

UP, DOWN, MAINTENANCE = "up", "down", "maintenance"
HERE = "127.0.0.1"
PATIENCE = 10.0  # seconds for one step of an answer
QUIET = 2.0  # seconds in which a service that speaks first says something, or a lost one is closed
SERVER_ERROR = 500


class Answer(NamedTuple):
    """What a route answered."""

    state: str
    cause: str = ""


@dataclass(frozen=True)
class Ports:
    """The router's own ports, and how many seconds it has for each step of an answer."""

    http: int
    https: int
    ssh: int
    patience: float = PATIENCE


def ask(route: Route, ports: Ports) -> Answer:
    """Return whether a route answers now."""
    asking: dict[str, Callable[[Route, Ports], Answer]] = {
        "http": _ask_http,
        "tls": _ask_tls,
        "ssh": _ask_ssh,
        "tcp": _ask_tcp,
    }
    try:
        return asking[route.kind](route, ports)
    except TimeoutError:
        return Answer(DOWN, f"no answer within {ports.patience:.0f} s")
    except (OSError, http.client.HTTPException) as error:
        return Answer(DOWN, _in_words(error))


def _ask_http(route: Route, ports: Ports) -> Answer:
    """Return the answer to a request; the router's own redirect to https is followed."""
    status, own = _get(http.client.HTTPConnection(HERE, ports.http, timeout=ports.patience), route.host)
    if status == http.client.PERMANENT_REDIRECT:
        status, own = _get(_Https(ports, route.host), route.host)
    if own == MAINTENANCE:
        return Answer(MAINTENANCE)
    if own == "refused":
        return Answer(DOWN, f"the router does not know the name: {status}")
    return Answer(UP) if status < SERVER_ERROR else Answer(DOWN, str(status))


class _Https(http.client.HTTPConnection):
    """A connection by https to the router here, for a host name; whose certificate it is does not matter."""

    def __init__(self, ports: Ports, host: str) -> None:
        super().__init__(HERE, ports.https, timeout=ports.patience)
        self._name = host

    def connect(self) -> None:
        super().connect()
        self.sock = _context().wrap_socket(self.sock, server_hostname=self._name)


def _get(connection: http.client.HTTPConnection, host: str) -> tuple[int, str]:
    """Return the status of / of a host, and what X-Router says: empty if a service answered."""
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": host, "User-Agent": "darkpeak-prober", "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("X-Router", "")


def _ask_tls(route: Route, ports: Ports) -> Answer:
    with (
        socket.create_connection((HERE, ports.https), timeout=ports.patience) as plain,
        _context().wrap_socket(plain, server_hostname=route.host),
    ):
        return Answer(UP)


def _ask_tcp(route: Route, ports: Ports) -> Answer:
    """Return that it is up if it says something, or keeps the connection: the router closes one that leads nowhere."""
    return (
        Answer(UP)
        if any(_is_kept(port, ports.patience) for port in route.ports)
        else Answer(DOWN, "the connection was closed")
    )


def _is_kept(port: int, patience: float) -> bool:
    try:
        stream = socket.create_connection((HERE, port), timeout=patience)
    except ConnectionRefusedError:
        return False
    with stream:
        stream.settimeout(QUIET)
        try:
            return bool(stream.recv(1))
        except TimeoutError:
            return True


def _ask_ssh(route: Route, ports: Ports) -> Answer:
    """Return that it is up if the router's ssh port, and one of the service's, have an ssh banner."""
    if not _banner(ports.ssh, ports.patience):
        return Answer(DOWN, "the router's ssh port has no banner")
    for port in route.ports:
        with contextlib.suppress(OSError):
            if _banner(port, ports.patience):
                return Answer(UP)
    return Answer(DOWN, "no ssh banner")


def _banner(port: int, patience: float) -> bool:
    with socket.create_connection((HERE, port), timeout=patience) as stream:
        return stream.recv(4) == b"SSH-"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # `darkpeak certificates` watches those
    return context


def _in_words(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the router does not answer"
    text = " ".join(str(getattr(error, "strerror", "") or error or type(error).__name__).split())
    return "".join(letter for letter in text if letter.isprintable())[:100]
