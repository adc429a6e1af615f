"""Ask a Docker engine by its HTTP API, without Docker's library: to import that takes longer than most commands.

Each request has a connection of its own and is HTTP/1.0: the answer ends with the connection, and is in one piece.
A path without a version means the engine's own version of the API.
"""

import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from darkpeak.collective.uri import FORMS, parse_uri
from darkpeak.trace import log

ANSWER_SECONDS = 60
CHUNK = 1 << 18
GOOD = range(200, 300)
NOT_FOUND = 404
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
JSON, TAR = "application/json", "application/x-tar"
BROKEN = "its answer broke off"
FRAME = 8  # bytes before each part of a program's output: 1 or 2 (standard output or error), three zeros, the length


class Refused(Exception):
    """The engine refused a request, with a status and a message; or what answered is no engine (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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
        self._ask("GET", "_ping", {}, seconds=seconds)

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

    def write(self, path: str, archive: bytes, /, **query: Any) -> None:
        """Send an archive."""
        self._ask("PUT", path, query, archive, TAR)

    def execute(self, container: str, argv: Sequence[str]) -> tuple[int, bytes, bytes]:
        """Run a program that reads no input in a container; return its exit code, its output and its errors."""
        wanted = {"Cmd": list(argv), "AttachStdout": True, "AttachStderr": True}
        program = self.post(f"containers/{container}/exec", wanted)["Id"]
        output = self._ask("POST", f"exec/{program}/start", {}, b'{"Detach": false, "Tty": false}')
        return int(self.get(f"exec/{program}/json")["ExitCode"]), *split_output(output)

    def _ask(  # noqa: PLR0913, PLR0917 (all that a request can have)
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: bytes = b"",
        kind: str = JSON,
        seconds: float = ANSWER_SECONDS,
    ) -> bytes:
        """Return the body of the answer to a request."""
        request = make_request(method, path, query, body, kind)
        try:
            with self._connect(seconds) as connection:
                answer = b"".join(_talk(connection, request))
        except TimeoutError as error:
            raise TimeoutError(f"no answer within {seconds:g} s") from error
        status, content = read_answer(answer)
        log.debug("%s %s: %d", method, request.split(b" ", 2)[1].decode(), status)
        if status not in GOOD:
            raise Refused(status, _message(content) or f"status {status}")
        return content

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
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body or method != "GET" else []
    return "\r\n".join((*lines, "", "")).encode() + body


def read_answer(answer: bytes) -> tuple[int, bytes]:
    """Return the status and the body of an answer.

    Raises:
        Refused: when it is no whole answer of HTTP.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    first = re.match(rb"HTTP/1\.\d (\d+)", head)
    if not end or not first:
        raise Refused(0, "what answers is no Docker engine" if answer else "it closed the connection")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if length and int(length[1]) != len(body):
        raise Refused(0, BROKEN)
    return int(first[1]), body


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
