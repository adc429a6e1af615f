"""What is sent to an engine, and what is read from its answers. A small server on loopback stands for the engine."""

from __future__ import annotations

import base64
import socket
import ssl
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from darkpeak.engine.api import Api, Refused, Tls, make_target, split_output
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from lab.remote import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUT, ERROR = b"\x01\0\0\0\0\0\0\x02ok", b"\x02\0\0\0\0\0\0\x03bad"


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("info", {}, "/info"),
        (
            "containers/json",
            {"all": True, "filters": {"label": ["a=b c"]}},
            "/containers/json?all=true&filters=%7B%22label%22%3A+%5B%22a%3Db+c%22%5D%7D",
        ),
        ("images/a/b:c/tag", {"repo": "x"}, "/images/a/b:c/tag?repo=x"),
        ("images/a\r\nb/json", {}, "/images/a%0D%0Ab/json"),
    ],
    ids=["plain", "filters", "text", "a line break in a name"],
)
def test_what_is_asked_for(path: str, query: dict[str, object], target: str) -> None:
    assert make_target(path, query) == target


def test_a_file_is_described_without_its_content(answering: tuple[str, list[bytes]]) -> None:
    uri, answers = answering
    described = base64.b64encode(b'{"name": "arch", "size": 7}')
    ping, missing = b"HTTP/1.0 200 OK\r\n\r\nOK", b"HTTP/1.0 404 Not Found\r\nContent-Length: 50\r\n\r\n"
    answers += [ping, b"HTTP/1.0 200 OK\r\nX-Docker-Container-Path-Stat: " + described + b"\r\n\r\n", missing]
    engine = Engine(uri)
    assert [engine.size_of("box", "/arch"), engine.size_of("box", "/none")] == [7, 0]


def test_a_programs_output_and_its_errors_are_told_apart() -> None:
    assert split_output(OUT + ERROR + OUT) == (b"okok", b"bad")
    assert split_output(b"") == (b"", b"")


@pytest.mark.parametrize("cut", [1, 7, 8, 9])
def test_output_that_breaks_off_is_refused(cut: int) -> None:
    with pytest.raises(Refused, match="broke off"):
        split_output(ERROR + OUT[:cut])


@pytest.fixture
def answering() -> Iterator[tuple[str, list[bytes]]]:
    """Yield the URI of a server and its answers, one for each connection; without one it says nothing."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.recv(1 << 16)
                if answers:
                    connection.sendall(answers.pop(0))
                    connection.close()
                else:
                    waiting.append(connection)

        waiting: list[socket.socket] = []
        Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}", answers
        for connection in waiting:
            connection.close()
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "it closed the connection"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "what answers is no Docker engine"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n[]", "its answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]", "its answer broke off"),
    ],
)
def test_what_is_no_whole_answer_is_refused(answering: tuple[str, list[bytes]], answer: bytes, message: str) -> None:
    uri, answers = answering
    answers += [answer]
    with pytest.raises(Refused, match=message):
        Api(uri).get("info")


def test_an_answer_can_come_in_chunks(answering: tuple[str, list[bytes]]) -> None:
    uri, answers = answering
    answers += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"]
    assert Api(uri).get("info") == [1]


def test_json_that_breaks_off_without_a_length_is_refused(answering: tuple[str, list[bytes]]) -> None:
    uri, answers = answering
    answers += [b"HTTP/1.0 200 OK\r\n\r\n[1, "]
    with pytest.raises(Refused, match="broke off"):
        Api(uri).get("containers/json")


def test_an_engine_that_says_nothing_is_given_up(answering: tuple[str, list[bytes]]) -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.2 s"):
        Api(answering[0]).ping(0.2)


def test_what_the_engine_says_is_in_the_error(answering: tuple[str, list[bytes]]) -> None:
    uri, answers = answering
    answers += [b"HTTP/1.0 200 OK\r\n\r\nOK", b'HTTP/1.0 500 No\r\n\r\n{"message": "the disk is full"}']
    with pytest.raises(SystemFailure) as error:
        Engine(uri).create_volume("v", {})
    assert error.value.message == f"the engine at {uri} did not make a volume: the disk is full"


def test_an_engine_that_wants_tls_is_named(answering: tuple[str, list[bytes]]) -> None:
    uri, answers = answering
    answers += [b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"]
    with pytest.raises(SystemFailure) as error:
        Engine(uri).observe()
    assert error.value.message == f"no Docker engine answers at {uri}: Client sent an HTTP request to an HTTPS server."
    assert "DOCKER_TLS_VERIFY" in error.value.hint


def test_an_engine_that_refuses_before_it_has_read_all_is_heard(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10)
                body = b'{"message": "it is read-only"}'
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        Thread(target=refuse, daemon=True).start()
        with pytest.raises(Refused, match="it is read-only"):
            Api(f"unix://{tmp_path}/s").write("containers/x/archive", b"x" * 5_000_000, path="/")


@pytest.mark.parametrize(
    ("host", "verify", "answers"),
    [("127.0.0.1", True, True), ("localhost", True, False), ("localhost", False, True)],
    ids=["its name", "another name", "not verified"],
)
def test_tls_proves_both_sides(tmp_path: Path, host: str, *, verify: bool, answers: bool) -> None:
    make_certificates(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            plain, _ = server.accept()
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n[1]")

        Thread(target=serve, daemon=True).start()
        api = Api(f"tcp://{host}:{server.getsockname()[1]}", Tls(tmp_path, verify))
        if answers:
            assert api.get("containers/json") == [1]
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                api.get("containers/json")
