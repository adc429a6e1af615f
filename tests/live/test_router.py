"""The router: names lead to services, changes are verified or reverted, headers, limits and logs."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkpeak.errors import SystemFailure
from darkpeak.router.control import Notice
from darkpeak.router.routes import Limit, Route, TcpRoute, TlsRoute
from lab.commands import run, wait_for
from tests.live import ciphers
from tests.live.routed import (
    FIRST,
    HTTP,
    HTTPS,
    SECOND,
    SSH,
    TABLE,
    WHOLE,
    Routed,
    curl,
    parse,
    send,
    serving,
    start,
    start_alone,
    talk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PAIR = 6914
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: one.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def started(collective: Collective) -> Iterator[Routed]:
    """Yield a router with two services behind it."""
    alone = start_alone(collective)
    with serving(FIRST, SECOND):
        yield alone


@pytest.fixture
def routed(started: Routed) -> Routed:
    """Return it with the table with which each test begins."""
    started.router.apply(TABLE)
    return started


@pytest.mark.parametrize(
    ("name", "status", "by_router"),
    [
        ("one.localhost", 200, ""),
        ("ONE.LocalHost", 200, ""),
        ("one.localhost:7080", 200, ""),
        ("one.localhost.", 200, ""),
        ("One.LOCALHOST.:7080", 200, ""),
        (f"{WHOLE}.", 200, ""),
        ("nobody.localhost.", 404, "refused"),
        ("one.localhost.evil.example.", 421, "refused"),
        (".", 421, "refused"),
        ("one.deeper.localhost", 200, ""),
        (WHOLE, 200, ""),
        ("nobody.localhost", 404, "refused"),
        ("dead.localhost", 503, "failed"),
        ("one.evil.example", 421, "refused"),
        ("one.localhost.evil.example", 421, "refused"),
        ("onelocalhost", 421, "refused"),
        ("one", 421, "refused"),
        ("shop.example", 421, "refused"),
        ("127.0.0.1", 421, "refused"),
        ("[::1]:7080", 421, "refused"),
    ],
)
def test_a_name_leads_only_to_its_service(routed: Routed, name: str, status: int, by_router: str) -> None:
    answer = routed.get(name)
    assert (answer.status, answer.by_router) == (status, by_router)


@pytest.mark.parametrize("port", [PAIR, PAIR + 1])
def test_routes_to_a_pair_of_ports_find_the_one_that_listens(routed: Routed, port: int) -> None:
    """By http, by tcp, by tcp with the PROXY protocol, by plain ssh, and by TLS that is passed on."""
    table = replace(
        TABLE,
        http=(*TABLE.http, Route("moves", PAIR)),
        tcp=(TcpRoute(5901, PAIR, "moves"), TcpRoute(5902, PAIR + 2, "moves", proxy=True)),
        tls=(TlsRoute("passed", PAIR),),
        plain_ssh=PAIR,
        pairs=(PAIR, PAIR + 2),
    )
    routed.router.apply(table)
    try:
        with serving(port):
            for number in (1, 2):  # at first haproxy must find it, then it knows
                assert routed.get("moves.localhost", f"/{number}").told["path"] == f"/{number}"
                assert parse(curl(f"http://127.0.0.1:5901/tcp{number}").stdout.encode()).told["path"] == f"/tcp{number}"
        with socket.create_server(("127.0.0.1", port + 2)) as server:
            assert first_bytes(server, 5902, b"").startswith(b"\r\n\r\n\0\r\nQUIT\n")
        with socket.create_server(("127.0.0.1", port)) as server:
            assert first_bytes(server, SSH, b"SSH-2.0-test\r\n").startswith(b"SSH-2.0-test")
        with socket.create_server(("127.0.0.1", port)) as server:
            assert first_bytes(server, HTTPS, hello("passed.localhost")).startswith(b"\x16\x03")
        assert routed.router.drift(table) == []
    finally:
        routed.router.apply(TABLE)


def first_bytes(server: socket.socket, public: int, sent: bytes) -> bytes:
    """Return what a server gets first when a client sends bytes to a public port."""
    server.settimeout(10)
    with socket.create_connection(("127.0.0.1", public), timeout=10) as client:
        client.sendall(sent)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            return connection.recv(65536)


def hello(name: str) -> bytes:
    """Return the first message of a TLS client that asks for a name."""
    written = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), written, server_hostname=name).do_handshake()
    return written.read()


def test_a_service_gets_the_clients_address_and_not_the_clients_own_headers(routed: Routed) -> None:
    claims = ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4")
    told = routed.get("one.localhost", "/", *(part for claim in claims for part in ("-H", claim))).told
    headers = dict(told["headers"])
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert "1.2.3.4" not in json.dumps(told)


def test_https_uses_a_certificate_of_the_collectives_ca(routed: Routed, tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(routed.execute("cat", "/trust/ca.crt"))
    answer = curl("--cacert", str(authority), f"https://one.localhost:{HTTPS}/").stdout
    assert answer.startswith("HTTP/2 200")
    assert dict(parse(answer.encode()).told["headers"])["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(("cipher", "accepted"), ciphers.ACCEPTED.items())
@pytest.mark.usefixtures("routed")
def test_old_ciphers_are_refused(cipher: str, *, accepted: bool) -> None:
    assert ciphers.accepts(HTTPS, cipher) == accepted


def test_a_new_name_gets_into_the_certificate_without_a_reload(routed: Routed, tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(routed.execute("cat", "/trust/ca.crt"))
    changes = routed.router.apply(replace(TABLE, http=(*TABLE.http, Route("late", FIRST))))
    assert (changes.added, changes.reloaded) == (("late",), False)
    assert curl("--cacert", str(authority), f"https://late.localhost:{HTTPS}/").stdout.startswith("HTTP/2 200")


def test_the_ca_is_not_valid_for_other_domains(routed: Routed, tmp_path: Path) -> None:
    key, request = tmp_path / "key", tmp_path / "request"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=www.example.org"]
    run(["openssl", "req", "-new", *new, "-keyout", str(key), "-out", str(request)])
    assert b"BEGIN CERTIFICATE" in routed.router.sign(request.read_bytes(), ["chat.localhost", "localhost"])
    with pytest.raises(SystemFailure, match="may not vouch for"):
        routed.router.sign(request.read_bytes(), ["www.example.org"])


def test_a_changed_route_is_verified_or_reverted(routed: Routed) -> None:
    moved = replace(TABLE, http=(Route("one", 6914), Route("two", FIRST)))
    assert routed.router.apply(moved).reverted == ("one",)
    assert routed.get("one.localhost").status == 200
    assert routed.get("two.localhost").status == 200
    assert Route("two", FIRST) in routed.table().http


def test_a_port_that_is_in_use_leaves_everything_unchanged(routed: Routed) -> None:
    with socket.create_server(("127.0.0.1", 8099)), pytest.raises(SystemFailure, match="8099"):
        routed.router.apply(replace(TABLE, tcp=(TcpRoute(8099, FIRST, "one"),)))
    assert routed.router.drift(TABLE) == []
    assert routed.get("one.localhost").status == 200


def test_tables_changed_by_hand_are_drift_and_are_fixed(routed: Routed) -> None:
    edits = "set map /var/lib/router/http.map one 6001; add map /var/lib/router/http.map other 6911\n"
    routed.execute("socat", "-", "/run/haproxy/sock", stdin=edits)
    assert routed.get("one.localhost").status == 404, "a map must not lead to the router's own ports"
    assert [drift.line for drift in routed.router.drift(TABLE)] == ["one 6001", "one 6911", "other 6911"]
    assert str(routed.router.apply(TABLE)) == "router synchronised"
    assert (routed.get("one.localhost").status, routed.router.drift(TABLE)) == (200, [])


def test_a_killed_router_starts_again_with_its_routes(routed: Routed) -> None:
    inspected = ["docker", "--host", routed.collective.host.docker_host, "inspect", "-f", "{{.State.Pid}}"]
    pid = run([*inspected, routed.container]).stdout.strip()
    run(["kill", "-9", pid])
    wait_for("the router to end", lambda: not Path(f"/proc/{pid}").exists(), timeout=30)
    wait_for("the router to start again", lambda: routed.get("one.localhost").status == 200, timeout=30)
    assert routed.router.drift(TABLE) == []


HEADER_AND_HELLO = 64  # bytes; the PROXY header has 28, and may be in its own packet


def test_a_tls_route_passes_connections_on_without_decrypting(routed: Routed) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 6915)) as listener:

        def listen() -> None:
            connection = listener.accept()[0]
            heard.append(b"")
            while len(heard[0]) < HEADER_AND_HELLO and (more := connection.recv(4096)):
                heard[0] += more
            connection.close()

        threading.Thread(target=listen, daemon=True).start()
        routed.router.apply(replace(TABLE, tls=(TlsRoute("vault", 6915, proxy=True),)))
        curl("-k", f"https://vault.localhost:{HTTPS}/")
    header, _, hello = heard[0].partition(b"QUIT\n")
    assert header == b"\r\n\r\n\0\r\n", "the service gets a PROXY header, version 2, first"
    assert (hello[4:8], hello[16:18]) == (bytes([127, 0, 0, 1]), b"\x16\x03"), "the client's address, then its hello"
    assert curl("-k", f"https://one.localhost:{HTTPS}/").stdout.startswith("HTTP/2 200"), "other names are unchanged"


def test_the_request_rate_of_one_client_is_limited(routed: Routed) -> None:
    routed.router.apply(replace(TABLE, limits=(Limit("one", rate=2),)))
    answers = [routed.get("one.localhost") for _ in range(25)]
    assert [answer.status for answer in answers] == [200] * 19 + [429] * 6
    assert (answers[-1].by_router, answers[-1].headers["retry-after"]) == ("limited", "10")
    assert routed.get("two.localhost").status == 200


def test_the_open_requests_of_a_service_are_limited(routed: Routed) -> None:
    routed.router.apply(replace(TABLE, limits=(Limit("one", connections=3),)))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(routed.get("one.localhost", "/slow").status)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 200, 200, 503, 503, 503]
    assert routed.get("one.localhost").status == 200


def test_a_quiet_service_has_the_time_that_it_declares(routed: Routed) -> None:
    """The backend answers /slow after two seconds, and says nothing on a WebSocket of its own accord."""
    routed.router.apply(replace(TABLE, limits=(Limit("one", idle=1),)))
    began = time.monotonic()
    assert send(UPGRADE, seconds=30).startswith(b"HTTP/1.1 101")
    assert 0.5 < time.monotonic() - began < 10, "the router closes it, long before the hour that is the default"
    assert (routed.get("one.localhost", "/slow").status, routed.get("two.localhost", "/slow").status) == (504, 200)
    routed.router.apply(replace(TABLE, limits=(Limit("one", idle=4),)))
    assert routed.get("one.localhost", "/slow").status == 200


def test_the_largest_body_of_a_request_is_limited(routed: Routed, tmp_path: Path) -> None:
    routed.router.apply(replace(TABLE, limits=(Limit("one", body=1 << 20), Limit("two", body=5 << 30))))
    file = tmp_path / "body"
    file.write_bytes(b"x" * ((1 << 20) + 1))
    answer = routed.get("one.localhost", "/", "-H", "Expect:", "--data-binary", f"@{file}")
    assert (answer.status, answer.by_router, b"at most 1 MiB" in answer.body) == (413, "refused", True)
    assert routed.get("two.localhost", "/", "-H", "Expect:", "--data-binary", f"@{file}").status == 200
    file.write_bytes(b"x" * (1 << 20))
    assert routed.get("one.localhost", "/", "-H", "Expect:", "--data-binary", f"@{file}").status == 200


def test_maintenance_has_a_retry_time_and_survives_changes(routed: Routed) -> None:
    routed.router.set_notice("one", Notice(900, "back at nine <sharp>"))
    routed.router.apply(replace(TABLE, http=TABLE.http[:1]))
    answer = routed.get("one.localhost")
    assert (answer.status, answer.by_router, answer.headers["retry-after"]) == (503, "maintenance", "900")
    assert b"back at nine &lt;sharp&gt;" in answer.body
    routed.router.set_notice("one", None)
    assert routed.get("one.localhost").status == 200


def test_a_request_counts_until_its_answer(routed: Routed) -> None:
    """A deploy waits for these before it removes the old container."""

    def waiting() -> list[int]:
        return [counted.block for counted in routed.router.counters() if counted.current]

    assert waiting() == []
    slow = threading.Thread(target=lambda: routed.get("two.localhost", "/slow"))
    slow.start()
    wait_for("the router to count it", lambda: waiting() == [SECOND // 10 * 10])
    slow.join()
    assert waiting() == []


def test_requests_are_counted_by_service_and_logged_without_addresses(routed: Routed) -> None:
    before = {counted.block: counted.requests for counted in routed.router.counters()}
    for _ in range(3):
        routed.get("two.localhost", "/logged")
    after = {counted.block: counted.requests for counted in routed.router.counters()}
    block = SECOND // 10 * 10
    assert after == before | {block: before.get(block, 0) + 3}
    logged = run(
        ["docker", "--host", routed.collective.host.docker_host, "logs", "--tail", "40", routed.container]
    ).stdout
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert [(line["service"], line["path"], line["status"], line["client"]) for line in lines[-3:]] == [
        ("two", "/logged", 200, "127.0.0.0")
    ] * 3


def test_websockets_survive_reloads(routed: Routed) -> None:
    sockets = [socket.create_connection(("127.0.0.1", HTTP), timeout=5) for _ in range(50)]
    for each in sockets:
        each.sendall(UPGRADE)
        assert each.recv(4096).startswith(b"HTTP/1.1 101")
    for number in range(5):
        routed.execute("sh", "-c", "echo reload | socat -t 30 - /run/haproxy/master.sock")
        for each in sockets:
            each.sendall(b"still here %d" % number)
            assert each.recv(4096) == b"still here %d" % number
    for each in sockets:
        each.close()


def test_requests_wait_for_a_service_that_restarts(routed: Routed) -> None:
    routed.router.apply(replace(TABLE, http=(*TABLE.http, Route("three", 6916))))
    late: list[int] = []
    asking = threading.Thread(target=lambda: late.append(routed.get("three.localhost").status))
    asking.start()
    threading.Event().wait(3)
    process = start(6916)
    asking.join()
    process.kill()
    process.wait()
    assert late == [200]


@pytest.mark.usefixtures("routed")
def test_the_ssh_port_refuses_everything_except_ssh_and_tls() -> None:
    with socket.create_connection(("127.0.0.1", 7022), timeout=5) as connection:
        assert talk(connection, b"GET / HTTP/1.1\r\nHost: one.localhost\r\n\r\n") == b""
