"""Ask a Docker engine by its HTTP API, without Docker's library: to import that takes longer than most commands.

Each request has a connection of its own. A path without a version means the engine's own version of the API.
"""

import base64
import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from darkpeak.collective.uri import FORMS, parse_uri
from darkpeak.trace import log

ANSWER_SECONDS = 60
GOOD = range(200, 300)
NOT_FOUND = 404
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
JSON, TAR = "application/json", "application/x-tar"
STAT = "X-Docker-Container-Path-Stat"
BROKEN = "its answer broke off"
FRAME = 8  # bytes before each part of a program's output: 1 or 2 (standard output or error), three zeros, the length


class Refused(Exception):
    """The engine refused a request, with a status and a message; or what answered is no engine (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    """The body of an answer, and what the engine says about a file of a container."""

    body: bytes
    stat: str


@dataclass(frozen=True)
class Tls:
    """The folder with ca.pem, cert.pem and key.pem, and whether the daemon's certificate is verified."""

    folder: Path
    verify: bool = True


@dataclass(frozen=True)
class Api:
    """An engine, by its URI (unix or tcp).

    All methods raise Refused when the engine refuses, and OSError when it cannot be reached or does not answer.
    """

    uri: str
    tls: Tls | None = None

    def ping(self, seconds: float) -> None:
        """Have the engine answer within some seconds."""
        self._answer("GET", "_ping", {}, seconds=seconds)

    def get(self, path: str, /, **query: Any) -> Any:
        """Return the engine's answer, which is JSON."""
        return _parse(self._ask("GET", path, query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, /, **query: Any) -> Any:
        """Have something made or done, as a body in JSON says; return the engine's answer, or None if it is empty."""
        answer = self._ask("POST", path, query, json.dumps(body).encode() if body is not None else b"")
        return _parse(answer) if answer else None

    def delete(self, path: str) -> None:
        """Have something removed."""
        self._ask("DELETE", path, {})

    def read(self, path: str, /, **query: Any) -> bytes:
        """Return the engine's answer, which is an archive."""
        return self._ask("GET", path, query)

    def stat(self, path: str, /, **query: Any) -> Mapping[str, Any]:
        """Return what the engine says about a file of a container, without sending it."""
        found = self._answer("HEAD", path, query).stat
        return dict(json.loads(base64.b64decode(found))) if found else {}

    def write(self, path: str, archive: bytes, /, **query: Any) -> None:
        """Send an archive."""
        self._ask("PUT", path, query, archive, TAR)

    def execute(self, container: str, argv: Sequence[str]) -> tuple[int, bytes, bytes]:
        """Run a program that reads no input in a container; return its exit code, its output and its errors."""
        wanted = {"Cmd": list(argv), "AttachStdout": True, "AttachStderr": True}
        program = self.post(f"containers/{container}/exec", wanted)["Id"]
        output = self._ask("POST", f"exec/{program}/start", {}, b'{"Detach": false, "Tty": false}')
        return int(self.get(f"exec/{program}/json")["ExitCode"]), *split_output(output)

    def _ask(self, method: str, path: str, query: Mapping[str, Any], body: bytes = b"", kind: str = JSON) -> bytes:
        """Return the body of the answer to a request."""
        return self._answer(method, path, query, body, kind).body

    def _answer(  # noqa: PLR0913, PLR0917 (all that a request can have)
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: bytes = b"",
        kind: str = JSON,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        target, headers = make_target(path, query), {"Content-Type": kind, "Connection": "close"}
        with closing(self._connect(seconds)) as connection:
            try:
                # An engine can refuse before it has read all of a request; its answer is there nevertheless.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, target, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
            except TimeoutError as error:
                raise TimeoutError(f"no answer within {seconds:g} s") from error
            except BadStatusLine as error:
                closed = isinstance(error, ConnectionError)
                raise Refused(
                    0, "it closed the connection" if closed else "what answers is no Docker engine"
                ) from error
            except HTTPException as error:
                raise Refused(0, BROKEN) from error
        log.debug("%s %s: %d", method, target, answer.status)
        if answer.status not in GOOD:
            raise Refused(answer.status, _message(content) or f"status {answer.status}")
        return Answer(content, answer.headers.get(STAT, ""))

    def _connect(self, seconds: float) -> HTTPConnection:
        uri = parse_uri(self.uri)
        if uri is None or uri.scheme == "ssh":  # ssh leads to a socket of this machine
            raise Refused(0, f"{self.uri} is not {FORMS}")
        if uri.scheme == "unix":
            return UnixConnection(uri.path, seconds)
        host = uri.host.strip("[]")
        if self.tls is None:
            return HTTPConnection(host, uri.port, timeout=seconds)
        return _with_tls(host, uri.port, self.tls, seconds)


class UnixConnection(HTTPConnection):
    """A connection to a socket of this machine."""

    def __init__(self, path: str, seconds: float) -> None:
        """Use the socket at a path."""
        super().__init__("docker", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def _with_tls(host: str, port: int | None, tls: Tls, seconds: float) -> HTTPConnection:
    import ssl
    from http.client import HTTPSConnection

    authority, certificate, key = (str(tls.folder / name) for name in CERTIFICATES)
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    if not tls.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=seconds, context=context)


def make_target(path: str, query: Mapping[str, Any]) -> str:
    """Return what to ask for; values that are no text are written as JSON, as the API has its filters."""
    words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}
    return f"/{quote(path, safe='/:@')}" + (f"?{urlencode(words)}" if words else "")


def split_output(framed: bytes) -> tuple[bytes, bytes]:
    """Return a program's output and errors, from the parts in which the engine sends them.

    Raises:
        Refused: when the last part is not whole.
    """
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    start = 0
    while start < len(framed):
        head = framed[start : start + FRAME]
        part = framed[start + FRAME : start + FRAME + int.from_bytes(head[4:], "big")]
        if len(head) < FRAME or len(part) != int.from_bytes(head[4:], "big"):
            raise Refused(0, BROKEN)
        parts[head[0] == 2].append(part)  # noqa: PLR2004 (2 is standard error)
        start += FRAME + len(part)
    return b"".join(parts[0]), b"".join(parts[1])


def _parse(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError as error:
        raise Refused(0, BROKEN) from error


def _message(content: bytes) -> str:
    """Return what a refused request's answer says: the engine's message, or the first line of another server's."""
    try:
        return str(json.loads(content)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return (content.decode(errors="replace").strip().splitlines() or [""])[0]
