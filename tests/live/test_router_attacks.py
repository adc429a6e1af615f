"""Attacks on the router's ports: each is refused, and no other client notices."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkpeak.router.routes import Route
from lab.commands import Result, run, wait_for
from tests.live.routed import FIRST, HTTP, SECOND, SSH, TABLE, Routed, answers, parse, send, serving, start_alone, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

SSHD = 6917
SLOW_CLIENTS = 1000
UNHARMED = 0.05  # seconds by which the p99 of the answers may increase


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Iterator[Routed]:
    """Yield a router with two web services and an ssh service behind it."""
    routed = start_alone(collective)
    with serving(FIRST, SECOND):
        routed.router.apply(replace(TABLE, ssh=(Route("git", SSHD),)))
        yield routed


def request(*headers: str, first: str = "GET / HTTP/1.1", body: bytes = b"") -> bytes:
    return "\r\n".join([first, *headers, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(request("Host: one.evil.example"), 421, id="foreign domain"),
        pytest.param(request("Host: wiki.evil.example"), 421, id="known label, foreign domain"),
        pytest.param(request("Host: one.localhost@evil.example"), 400, id="at sign"),
        pytest.param(request("Host: " + "a" * 65536 + ".localhost"), 400, id="label of 64 KiB"),
        pytest.param(request("Host: " + "a" * 8000 + ".localhost"), 404, id="label of 8 kB"),
        pytest.param(request(first="GET / HTTP/1.1"), 421, id="no host"),
        pytest.param(request("Host: one.localhost", "Host: two.localhost"), 400, id="two hosts"),
        pytest.param(request("Host: two.localhost", first="GET http://one.evil.example/ HTTP/1.1"), 400, id="absolute"),
        pytest.param(request("Host: one.localhost", "Content-Length: 3", "Content-Length: 5"), 400, id="two lengths"),
        pytest.param(request("Host: one.localhost", "Content-Length: +3"), 400, id="signed length"),
        pytest.param(request("Host: one.localhost", "Content-Length: -1"), 400, id="negative length"),
        pytest.param(request("Host: one.localhost", "Transfer-Encoding : chunked"), 400, id="space before colon"),
        pytest.param(request("Host: one.localhost", "X: a\0b"), 400, id="zero byte"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="tls on the http port"),
    ],
)
def test_a_malformed_or_foreign_request_is_refused(routed: Routed, data: bytes, status: int) -> None:
    before = len(seen(routed))
    assert parse(send(data, seconds=3)).status == status
    assert seen(routed)[before:] == ["GET /seen"], "the request must not reach the service"


SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: one.localhost\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            request(
                "Host: one.localhost",
                "Content-Length: 6",
                "Transfer-Encoding: chunked",
                first="POST /cl.te HTTP/1.1",
                body=b"0\r\n\r\n" + SMUGGLED.encode(),
            ),
            id="CL.TE",
        ),
        pytest.param(
            request(
                "Host: one.localhost",
                "Transfer-Encoding: chunked",
                "Content-Length: 4",
                first="POST /te.cl HTTP/1.1",
                body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED.encode()),
            ),
            id="TE.CL",
        ),
        pytest.param(
            request(
                "Host: one.localhost",
                "Transfer-Encoding: xchunked",
                f"Content-Length: {len(SMUGGLED)}",
                first="POST /te.te HTTP/1.1",
                body=SMUGGLED.encode(),
            ),
            id="an unknown encoding",
        ),
        pytest.param(
            request(
                "Host: one.localhost",
                "Transfer-Encoding: chunked",
                first="POST /ext HTTP/1.1",
                body=b"5;\n" + SMUGGLED.encode(),
            ),
            id="a line feed in a chunk's extension",
        ),
        pytest.param(
            request(
                "Host: one.localhost",
                f"Content-Length: {len(SMUGGLED)}",
                first="GET /body HTTP/1.1",
                body=SMUGGLED.encode(),
            ),
            id="GET with a body",
        ),
    ],
)
def test_no_request_can_be_smuggled_inside_another(routed: Routed, data: bytes) -> None:
    """The router and the service agree which bytes are a body: both count the same requests."""
    before = len(seen(routed))
    got = send(data, seconds=2)
    new = [line for line in seen(routed)[before:] if line != "GET /seen"]
    answered = [piece for piece in got.split(b"HTTP/1.1 ")[1:] if piece.startswith(b"200")]
    assert len(new) == len(answered), (new, got)
    assert len(new) - new.count("GET /smuggled") <= 1


CLAIMED = """X_Forwarded_Proto X_FORWARDED_FOR X-Forwarded_For x.forwarded.proto X-Forwarded-Proto. X-Forwarded-Host
X-Forwarded-Port X-Forwarded-Server X-Forwarded-Prefix X-Forwarded X-ForwardedFor Forwarded X_Real_IP Proxy X_Router
Proxy_ True-Client-IP CF_Connecting_IP Client-IP X-Client-IP X-Cluster-Client-IP X-Original-URL X_Rewrite_Url
X-Original-Host X-Host X-Url-Scheme Front-End-Https X-Remote-Addr"""


def test_a_client_cannot_claim_another_address_scheme_or_name(routed: Routed) -> None:
    """However it writes the header: many services treat `_`, `-` and `.` as the same."""
    options = [part for name in CLAIMED.split() for part in ("-H", f"{name}: https, 192.0.2.7")]
    headers = routed.get("one.localhost", "/", *options).told["headers"]
    assert "192.0.2.7" not in str(headers)
    assert [value for key, value in headers if key == "x-forwarded-proto"] == ["http"]
    assert [value for key, value in headers if key == "x-forwarded-for"] == ["127.0.0.1"]


def test_headers_that_only_look_alike_are_passed_on(routed: Routed) -> None:
    alike = "proxy-authorization x-requested-with x-http-method-override x-api-key origin cf-ray x-proxy-user"
    options = [part for name in alike.split() for part in ("-H", f"{name}: kept")]
    headers = dict(routed.get("one.localhost", "/", *options).told["headers"])
    assert {name: headers.get(name) for name in alike.split()} == dict.fromkeys(alike.split(), "kept")


@pytest.mark.parametrize(("size", "status"), [(16_000, 200), (32_000, 200), (33_000, 431), (60_000, 431)])
@pytest.mark.usefixtures("routed")
def test_a_header_that_is_too_large_is_refused_with_the_limit(size: int, status: int) -> None:
    cookies = "x" * size
    for headers in ([f"Cookie: a={cookies}"], [f"X-{number}: {cookies[:1000]}" for number in range(size // 1000)]):
        answer = parse(send(request("Host: one.localhost", "Connection: close", *headers)))
        assert answer.status == status
        assert (b"32 KiB" in answer.body, answer.by_router) == ((True, "refused") if status == 431 else (False, ""))


def seen(routed: Routed) -> list[str]:
    """Return every request that has reached the first service."""
    requests: list[str] = json.loads(routed.get("one.localhost", "/seen").body)
    return requests


def slowest(number: int = 200) -> float:
    """Return the p99 of the time of another service's answers, in seconds."""
    times = []
    for _ in range(number):
        began = time.perf_counter()
        assert send(request("Host: two.localhost", "Connection: close")).startswith(b"HTTP/1.1 200")
        times.append(time.perf_counter() - began)
    return sorted(times)[int(number * 0.99)]


@pytest.mark.usefixtures("routed")
def test_a_thousand_slow_clients_do_not_slow_other_clients() -> None:
    before = slowest()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", HTTP))) for _ in range(SLOW_CLIENTS)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: one.localhost\r\nX: ")
        during = slowest()
        clients[0].settimeout(15)
        assert talk(clients[0], b"")[:12] in {b"HTTP/1.0 408", b"HTTP/1.1 408", b""}, (
            "after ten seconds the router closes the connection"
        )
    assert during < before + UNHARMED, (before, during)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with keys, and run an ssh service that accepts them."""
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "ada"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
    (folder / "jump.conf").write_text(
        f"Host jump\n  HostName 127.0.0.1\n  Port {SSH}\n"
        f"Host *\n  IdentityFile {folder / 'ada'}\n  UserKnownHostsFile {folder / 'known'}\n"
        "  StrictHostKeyChecking accept-new\n  BatchMode yes\n  LogLevel ERROR\n  ConnectTimeout 10\n"
    )
    server = serve_ssh(folder)
    yield folder
    server.kill()
    server.wait()


def serve_ssh(folder: Path) -> subprocess.Popen[bytes]:
    """Start an ssh service."""
    Path("/run/sshd").mkdir(exist_ok=True)
    settings = {
        "ListenAddress": f"127.0.0.1:{SSHD}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "ada.pub",
        "StrictModes": "no",
        "PidFile": "none",
    }
    options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", "/dev/null", *options])
    wait_for("sshd", lambda: answers(SSHD), timeout=10)
    return server


def ssh(keys: Path, *arguments: str) -> Result:
    return run(["ssh", "-F", str(keys / "jump.conf"), *arguments], check=False, timeout=30)


def tls(name: str) -> tuple[str, str]:
    # It must end when its input ends: as the proxy of a proxy, it has no ssh that would end it.
    client = f"openssl s_client -quiet -no_ign_eof -nocommands -verify_quiet -servername {name}"
    return "-o", f"ProxyCommand={client} -connect 127.0.0.1:{SSH}"


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(("-J", "jump", "git.localhost"), id="jump by name"),
        pytest.param(("-J", "jump", "git"), id="jump by label"),
        pytest.param((*tls("git.localhost"), "git.localhost"), id="TLS by name"),
    ],
)
@pytest.mark.usefixtures("routed")
def test_ssh_reaches_a_declared_service(keys: Path, way: tuple[str, ...]) -> None:
    assert ssh(keys, *way, "echo", "there").stdout == "there\n"


def test_plain_ssh_reaches_the_service_declared_for_it(routed: Routed, keys: Path) -> None:
    table = replace(TABLE, ssh=(Route("git", SSHD),))
    routed.router.apply(replace(table, plain_ssh=SSHD))
    plain = ssh(keys, "-o", f"UserKnownHostsFile={keys / 'plain'}", "-p", str(SSH), "127.0.0.1", "echo", "there")
    jump = ssh(
        keys,
        "-o",
        f"ProxyCommand=ssh -F {keys / 'jump.conf'} {tls('jump.localhost')[0]} "
        f"'{tls('jump.localhost')[1]}' -W %h:%p jump",
        "git.localhost",
        "echo",
        "there",
    )
    routed.router.apply(table)
    assert (plain.stdout, jump.stdout) == ("there\n", "there\n"), plain.stderr + jump.stderr


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(("-J", "jump", "one.localhost"), id="jump to a service without ssh"),
        pytest.param(("-J", "jump", "127.0.0.1"), id="jump to the host's own ssh"),
        pytest.param(("-J", "jump", "-p", str(SSHD), "127.0.0.1"), id="jump to a port of a service"),
        pytest.param(("-J", "jump", "-p", "80", "git.localhost"), id="jump to another port of it"),
        pytest.param(("-J", "jump", "git.evil.example"), id="jump to a foreign domain"),
        pytest.param(("-J", "jump", "*"), id="jump to no name"),
        pytest.param(("jump", "id"), id="a command on the jump server"),
        pytest.param(("-N", "-o", "ExitOnForwardFailure=yes", "-R", "9999:127.0.0.1:22", "jump"), id="a way back"),
        pytest.param((*tls("one.localhost"), "git.localhost"), id="TLS to a service without ssh"),
        pytest.param((*tls("git.evil.example"), "git.localhost"), id="TLS to a foreign domain"),
    ],
)
@pytest.mark.usefixtures("routed")
def test_ssh_reaches_nothing_else(keys: Path, way: tuple[str, ...]) -> None:
    result = ssh(keys, *way, "echo", "there")
    assert result.returncode
    assert "there" not in result.stdout


@pytest.mark.usefixtures("routed")
def test_ssh_does_not_reach_the_routers_own_socket(keys: Path) -> None:
    forward = f"{keys}/forwarded:/run/haproxy/sock"
    process = subprocess.Popen(["ssh", "-F", str(keys / "jump.conf"), "-N", "-L", forward, "jump"])
    try:
        wait_for("the client's end", (keys / "forwarded").exists, timeout=10)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(keys / "forwarded"))
            connection.settimeout(5)
            assert talk(connection, b"show info\n") == b""
    finally:
        process.kill()
        process.wait()
