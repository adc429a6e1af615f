"""What floods of connections do to other services: the p99 of their answers in a flood, over the p99 before it.

    bench/run bench/floods.py            a table
    bench/run bench/floods.py --json     the figures, as one object
    bench/run bench/floods.py --rounds 3 faster, and less exact

Two attacks once took other services down: 4,200 connections to a public tcp port that say nothing, and 210 to the jump
server that end half-way. Here they have ten times their size, from twenty addresses. Requests to other services go on
all the time: http, another tcp route, and the jump server, each from many addresses, like clients in many houses.

In each round, they are measured before the flood, while its connections are opened, and while they are held. A ratio is
of figures of one round, taken within seconds; the result is the median of the rounds. The router, the services and the
client that measures run before all other programs of the machine, also before the flood's client: its own work would be
on other machines. What else the machine does, hardly changes the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import tempfile
import time
from collections import defaultdict
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from darkpeak.router.routes import Route, TcpRoute
from lab.collectives import copy_of_ours
from lab.hosts import Host
from tests.live.flood import opening
from tests.live.routed import FIRST, HTTP, SECOND, SSH, TABLE, Routed, serving

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = 5222
ADDRESSES = 20  # of the flood
FLOODS = {"idle streams": (STREAM, 42_000, b""), "half-open ssh": (SSH, 2_100, b"SSH-2.0-x\r\n")}
REQUESTS = 200  # of each kind, for one p99
ROUNDS = 5
FAILED = 30.0  # seconds
PAUSE = 0.005  # seconds between two requests
REQUEST = b"GET / HTTP/1.1\r\nHost: two.localhost\r\nConnection: close\r\n\r\n"
HOUSES = cycle(range(500))  # the clients: each has an address
ALL_TASKS = Path("/sys/fs/cgroup/cpu/tasks")  # of control groups, version 1
Times = dict[str, float]  # by kind of request


@dataclass(frozen=True)
class Kind:
    """A kind of request: its port, what is sent, and after how many bytes the answer is there."""

    port: int
    data: bytes
    answer: int

    def seconds(self) -> float:
        """Send one, from the next address; return the seconds until the answer. One that fails counts as 30 seconds."""
        house, begun, got = next(HOUSES), time.perf_counter(), 0
        source = (f"127.0.{2 + house // 250}.{1 + house % 250}", 0)
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), FAILED, source)) as connection:
                connection.sendall(self.data)
                while got < self.answer:
                    piece = connection.recv(65536)
                    if not piece:
                        return FAILED
                    got += len(piece)
        except ConnectionError:
            return FAILED
        return time.perf_counter() - begun


KINDS = {
    "http": Kind(HTTP, REQUEST, 100),
    "tcp": Kind(STREAM + 1, REQUEST, 100),
    "ssh": Kind(SSH, b"SSH-2.0-client\r\n", 200),  # its version, and the methods that it offers
}


@dataclass(frozen=True)
class Round:
    """The p99 of the requests in one round, by kind, in seconds; and what the flood cost the router meanwhile."""

    before: Times
    opened: Times  # while the flood's connections were opened
    held: Times
    seconds: float  # for which they were opened
    used: float  # processor seconds of haproxy and the jump server, for which they were opened


def p99s(while_true: Callable[[], object] = lambda: False) -> Times:
    """Send requests of each kind in turn, while the condition is true and until there are enough; return the p99."""
    times = defaultdict[str, list[float]](list)
    while len(times["ssh"]) < REQUESTS or while_true():
        for name, kind in KINDS.items():
            times[name].append(kind.seconds())
            time.sleep(PAUSE)
    return {name: sorted(found)[int(len(found) * 0.99)] for name, found in times.items()}


def measure(routed: Routed, port: int, number: int, data: bytes) -> Round:
    """Measure one flood once."""
    before = p99s()
    begun, used = time.perf_counter(), used_seconds(routed)
    with opening(port, number, data, addresses=ADDRESSES) as processes:
        pipes = [process.stdout for process in processes if process.stdout]
        opened = p99s(lambda: len(select.select(pipes, [], [], 0)[0]) < len(pipes))
        seconds, used = time.perf_counter() - begun, used_seconds(routed) - used
        held = p99s()
    return Round(before, opened, held, seconds, used)


def processes_of(routed: Routed) -> list[int]:
    """Return the numbers of all processes of haproxy and of the jump server."""
    shown = [routed.collective.compose("router", "top", container).stdout for container in ("haproxy", "jump")]
    return [int(line.split()[1]) for text in shown for line in text.splitlines()[2:] if line.strip()]


def used_seconds(routed: Routed) -> float:
    """Return the processor time of haproxy and the jump server so far, in seconds."""
    ticks = 0
    for pid in processes_of(routed):
        with suppress(OSError):  # a health check that has just ended
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def favour(pid: int) -> None:
    """Let a process run before all others of the machine, but not the programs that it starts.

    A control group for processor time has no right to that, so it leaves its group.
    """
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # it has ended, or there are no such groups
            ALL_TASKS.write_text(task.name) if ALL_TASKS.exists() else None
            os.sched_setscheduler(int(task.name), os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def measure_all(rounds: int) -> dict[str, list[Round]]:
    """Measure each flood in turn."""
    host = Host.current()
    host.forget()
    found = defaultdict[str, list[Round]](list)
    with tempfile.TemporaryDirectory() as folder, serving(FIRST, SECOND) as backends:
        collective = copy_of_ours(Path(folder), host)
        collective.darkpeak("base", timeout=300)
        collective.compose("router", "up", "-d", "--build", "--wait", timeout=1800)
        routed = Routed(collective)
        tcp = (TcpRoute(STREAM, FIRST, "chat"), TcpRoute(STREAM + 1, SECOND, "mail"))
        routed.router.apply(replace(TABLE, ssh=(Route("git", SECOND),), tcp=tcp))
        for pid in (*processes_of(routed), *(process.pid for process in backends), os.getpid()):
            favour(pid)
        for _ in range(rounds):
            for name, flood in FLOODS.items():
                found[name].append(measure(routed, *flood))
    host.forget()
    return found


def summed(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """Return for each kind of request the median p99 before, in ms, and the median ratios; and the flood's cost."""
    shown = {
        kind: {
            "before_ms": round(1000 * median(one.before[kind] for one in rounds), 2),
            "opened": round(median(one.opened[kind] / one.before[kind] for one in rounds), 2),
            "held": round(median(one.held[kind] / one.before[kind] for one in rounds), 2),
        }
        for kind in KINDS
    }
    cost = {"seconds": median(one.seconds for one in rounds), "used": median(one.used for one in rounds)}
    return shown | {"router": {name: round(value, 1) for name, value in cost.items()}}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    found = {name: summed(rounds) for name, rounds in measure_all(options.rounds).items()}
    if options.json:
        print(json.dumps(found))
        return
    print("| flood | requests | p99 before | while it is opened | while it is held |\n|---|---|---|---|---|")
    for name, figures in found.items():
        for kind in KINDS:
            one = figures[kind]
            print(f"| {name} | {kind} | {one['before_ms']} ms | {one['opened']} times | {one['held']} times |")
        router = figures["router"]
        print(f"| {name} | the router worked for {router['used']} s of {router['seconds']} s | | | |")


if __name__ == "__main__":
    main()
