"""Ask a Docker engine by its HTTP API, without Docker's library: to import that takes longer than most commands.

Each request has a connection of its own and is HTTP/1.0: the answer ends with the connection, and is in one piece.
A path without a version means the engine's own version of the API.
"""

import base64
import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from darkpeak.collective.uri import FORMS, parse_uri
from darkpeak.trace import log

ANSWER_SECONDS = 60
CHUNK = 1 << 18
GOOD = range(200, 300)
NOT_FOUND = 404
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
JSON, TAR = "application/json", "application/x-tar"
STAT = re.compile(rb"(?i)\r\nx-docker-container-path-stat: *(\S+)")
BROKEN = "its answer broke off"
FRAME = 8  # bytes before each part of a program's output: 1 or 2 (standard output or error), three zeros, the length


class Refused(Exception):
    """The engine refused a request, with a status and a message; or what answered is no engine (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    """An answer: its status, the lines before its body, and its body."""

    status: int
    head: bytes
    body: bytes


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
        found = STAT.search(self._answer("HEAD", path, query).head)
        return dict(json.loads(base64.b64decode(found[1]))) if found else {}

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
        request = make_request(method, path, query, body, kind)
        try:
            with self._connect(seconds) as connection:
                received = b"".join(_talk(connection, request))
        except TimeoutError as error:
            raise TimeoutError(f"no answer within {seconds:g} s") from error
        answer = read_answer(received, whole=method != "HEAD")
        log.debug("%s %s: %d", method, request.split(b" ", 2)[1].decode(), answer.status)
        if answer.status not in GOOD:
            raise Refused(answer.status, _message(answer.body) or f"status {answer.status}")
        return answer

    def _connect(self, seconds: float) -> socket.socket:
        uri = parse_uri(self.uri)
        if uri is None or uri.scheme == "ssh":  # ssh leads to a socket of this machine
            raise Refused(0, f"{self.uri} is not {FORMS}")
        if uri.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(seconds)
            try:
                connection.connect(uri.path)
            except BaseException:
                connection.close()
                raise
            return connection
        host = uri.host.strip("[]")
        plain = socket.create_connection((host, uri.port), seconds)
        return self._with_tls(plain, host, self.tls) if self.tls else plain

    @staticmethod
    def _with_tls(plain: socket.socket, host: str, tls: Tls) -> socket.socket:
        import ssl

        authority, certificate, key = (str(tls.folder / name) for name in CERTIFICATES)
        try:
            context = ssl.create_default_context(cafile=authority)
            context.load_cert_chain(certificate, key)
            if not tls.verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _talk(connection: socket.socket, request: bytes) -> Iterator[bytes]:
    """Send a request, and yield the parts of the answer; an engine can refuse before it has read all of a request."""
    refused = False
    try:
        connection.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        refused = True
    try:
        while part := connection.recv(CHUNK):
            refused = True
            yield part
    except ConnectionResetError:
        if not refused:
            raise


def make_request(method: str, path: str, query: Mapping[str, Any], body: bytes = b"", kind: str = JSON) -> bytes:
    """Return a request; values that are no text are written as JSON, as the API has its filters."""
    words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}
    target = f"/{quote(path, safe='/:@')}" + (f"?{urlencode(words)}" if words else "")
    lines = [f"{method} {target} HTTP/1.0", "Host: docker"]
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body or method not in ("GET", "HEAD") else []
    return "\r\n".join((*lines, "", "")).encode() + body


def read_answer(received: bytes, *, whole: bool = True) -> Answer:
    """Return an answer; if it must be `whole`, it has the body whose length it says.

    Raises:
        Refused: when it is no whole answer of HTTP.
    """
    head, end, body = received.partition(b"\r\n\r\n")
    first = re.match(rb"HTTP/1\.\d (\d+)", head)
    if not end or not first:
        raise Refused(0, "what answers is no Docker engine" if received else "it closed the connection")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if whole and length and int(length[1]) != len(body):
        raise Refused(0, BROKEN)
    return Answer(int(first[1]), head, body)


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
