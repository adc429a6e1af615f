"""The prober: which routes it asks, what it finds, what it logs, and that it never goes back in time."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from darkpeak.uptime.log import by_name, parse
from darkpeak.uptime.measure import DAY_SECONDS, measure
from services.router.prober.probe.ask import Answer, Ports, ask
from services.router.prober.probe.clock import Clock
from services.router.prober.probe.log import changes, gap, read_states
from services.router.prober.probe.rounds import Prober
from services.router.prober.probe.routes import Route, read_routes
from services.router.prober.probe.store import Store

BEGAN = 1_764_216_000
TABLES = {
    "domains.lst": ".peak.test\n",
    "http.map": "wiki 6010\n",
    "hosts.map": "www.shop.example 6012-6013\n",
    "tls.map": "chat.peak.test 6030/proxy\n",
    "ssh.map": "* 6052\ngit 6042-6043\n",
    "tcp.map": "chat:5222 6031\n",
    "probed.map": "directory 6020-6021\nrouter 7080\n",
}
Speak = Callable[[socket.socket], object]


def write(folder: Path, tables: dict[str, str]) -> Path:
    for name, text in tables.items():
        (folder / name).write_text(text)
    return folder


def test_each_route_of_the_tables_is_asked(tmp_path: Path) -> None:
    assert read_routes(write(tmp_path, TABLES)) == [
        Route("wiki", "http", "wiki.peak.test"),
        Route("www.shop.example", "http", "www.shop.example"),
        Route("tls chat.peak.test", "tls", "chat.peak.test"),
        Route("plain ssh", "ssh", ports=(6052,)),
        Route("ssh git", "ssh", ports=(6042, 6043)),
        Route("chat:5222", "tcp", ports=(5222,)),
        Route("port directory", "tcp", ports=(6020, 6021)),
        Route("port router", "tcp", ports=(7080,)),
    ]


def test_a_line_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    write(
        tmp_path, {"ssh.map": "git\nx y\nok 6042\n", "tcp.map": "chat: 6031\nchat:5222 6031\n", "probed.map": "a b\n"}
    )
    assert [route.name for route in read_routes(tmp_path)] == ["ssh ok", "chat:5222"]


def test_without_tables_nothing_is_asked(tmp_path: Path) -> None:
    assert read_routes(tmp_path) == []


@contextmanager
def serving(speak: Speak) -> Iterator[int]:
    """Serve on a port: `speak` gets each connection, which is closed after it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    stream, _ = server.accept()
                except OSError:
                    return
                with stream:
                    speak(stream)

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def says(text: bytes) -> Speak:
    """Answer what was received with a text."""

    def speak(stream: socket.socket) -> None:
        stream.recv(1000)
        stream.sendall(text)

    return speak


def greets(text: bytes) -> Speak:
    return lambda stream: stream.sendall(text)


def waits(_: socket.socket) -> None:
    time.sleep(3)


def closes(stream: socket.socket) -> None:
    stream.recv(1000)


def status(line: str, *headers: str) -> Speak:
    return says("\r\n".join([f"HTTP/1.1 {line}", *headers, "Content-Length: 0", "", ""]).encode())


@pytest.mark.parametrize(
    ("speak", "answer"),
    [
        (status("200 OK"), Answer("up")),
        (status("302 Found", "Location: /login"), Answer("up")),
        (status("401 Unauthorized"), Answer("up")),
        (status("404 Not Found"), Answer("up")),
        (status("429 Too Many Requests", "X-Router: limited"), Answer("up")),
        (status("404 Not Found", "X-Router: refused"), Answer("down", "the router does not know the name: 404")),
        (status("500 Oh"), Answer("down", "500")),
        (status("503 No", "X-Router: failed"), Answer("down", "503")),
        (status("503 No", "X-Router: maintenance"), Answer("maintenance")),
        (waits, Answer("down", "no answer within 1 s")),
        (closes, Answer("down", "Remote end closed connection without response")),
        (says(b"SSH-2.0-x\r\n"), Answer("down", "SSH-2.0-x")),
        (says(b"\t\x1b[2J\n\n"), Answer("down", "[2J")),
    ],
)
def test_the_status_of_a_page_counts(speak: Speak, answer: Answer) -> None:
    with serving(speak) as port:
        assert ask(Route("wiki", "http", "wiki.peak.test"), Ports(port, 1, 1, patience=1)) == answer


@pytest.mark.parametrize(
    ("kind", "speak", "state"),
    [
        ("tcp", greets(b"220 mail"), "up"),
        ("tcp", waits, "up"),
        ("tcp", greets(b""), "down"),
        ("ssh", greets(b"SSH-2.0-OpenSSH\r\n"), "up"),
        ("ssh", greets(b"220 mail\r\n"), "down"),
        ("ssh", waits, "down"),
        ("tls", greets(b"220 mail\r\n"), "down"),
        ("tls", waits, "down"),
    ],
)
def test_a_banner_or_a_handshake_counts(kind: str, speak: Speak, state: str) -> None:
    with serving(speak) as port:
        route = Route("it", kind, "it.peak.test", (closed_port(), port))
        assert ask(route, Ports(1, port, port, patience=1)).state == state


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("kind", ["http", "tls", "ssh", "tcp"])
def test_a_router_that_does_not_run_is_down(kind: str) -> None:
    port = closed_port()
    assert ask(Route("it", kind, "it.peak.test", (port,)), Ports(port, port, port)).state == "down"


def test_only_changes_are_logged() -> None:
    before = {"git": Answer("down", "503"), "old": Answer("up"), "wiki": Answer("up")}
    after = {"chat": Answer("up"), "git": Answer("down", "no answer"), "wiki": Answer("down", "500")}
    lines = changes(7, before, after)
    assert lines == ["7\tchat\tup\n", "7\twiki\tdown\t500\n", "7\told\tgone\n"]
    earlier = changes(5, {}, before)
    assert read_states([*earlier, *gap(5, 6), *lines, "8\tch"]) == {**after, "git": Answer("down", "503")}


def test_a_line_that_was_cut_short_hurts_no_other(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("5\twiki\tdown\t500\n6\twi")
    store = Store(tmp_path)
    assert store.lines() == ["5\twiki\tdown\t500", "6\twi"]
    store.write(["7\twiki\tup\n"], 7)
    assert [event.state for event in parse((tmp_path / "log").read_text())] == ["down", "up"]
    assert store.alive() == 7


def test_the_clock_never_goes_back() -> None:
    wall, boot = iter([100.0, 130.0, 40.0, 70.0, 900.0]), iter([0.0, 30.0, 60.0, 90.0, 120.0])
    clock = Clock(lambda: next(wall), lambda: next(boot), 0)
    assert [clock.now() for _ in range(4)] == [130, 160, 190, 900]
    assert Clock(lambda: 50.0, lambda: 0.0, 80).now() == 80


class FakedTime:
    """A machine's clocks: the wall's can be set back."""

    def __init__(self) -> None:
        self.boot, self.wall = 1000.0, float(BEGAN)

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.boot += seconds
        self.wall += seconds


def test_a_quiet_day_has_no_outage(tmp_path: Path) -> None:
    """For 24 hours of faked time, with a clock that is set back and a prober that is killed, a sound service is up."""
    chance, faked, store = random.Random(7), FakedTime(), Store(tmp_path)  # noqa: S311 (only to choose moments)
    write(tmp_path, {"domains.lst": ".peak.test\n", "http.map": "wiki 6010\n"})
    with serving(status("200 OK")) as port:

        def begin() -> Prober:
            clock = Clock(lambda: faked.wall, lambda: faked.boot, store.alive())
            return Prober(tmp_path, store, Ports(port, 1, 1), clock, 0.01)

        prober = begin()
        for _ in range(DAY_SECONDS // 30):
            prober.round()
            if chance.random() < 0.002:
                faked.wall -= chance.randrange(7200)
            if chance.random() < 0.002:
                prober = begin()
            faked.sleep(30)
    events = by_name(parse("\n".join(store.lines())))
    assert [event.state for event in events["wiki"]] == ["up"]
    uptime = measure(events, ["wiki"], BEGAN, store.alive())
    assert (uptime.down, uptime.outages) == (0, ())
    assert 0.9 < uptime.days <= 1


def test_the_probers_own_absence_is_no_outage(tmp_path: Path) -> None:
    write(tmp_path, {"domains.lst": ".peak.test\n", "http.map": "wiki 6010\n"})
    now = [float(BEGAN)]
    with serving(status("200 OK")) as port:
        for at in (BEGAN, BEGAN + 30, BEGAN + 3630):
            now[0] = float(at)
            store = Store(tmp_path)
            clock = Clock(lambda: now[0], lambda: now[0], store.alive())
            Prober(tmp_path, store, Ports(port, 1, 1), clock, 0.01).round()
    uptime = measure(by_name(parse("\n".join(store.lines()))), ["wiki"], BEGAN, BEGAN + 3630)
    assert (uptime.up, uptime.down) == (30, 0)
