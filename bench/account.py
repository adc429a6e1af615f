"""What one login for all costs: logins a second, what `login: members` adds to each request, memory at rest.

    bench/run bench/account.py            a table
    bench/run bench/account.py --json     the figures, as one object
    bench/run bench/account.py --members 1000 --seconds 2    faster, and less exact

A login is the whole form: its page, then name and password, for which the directory makes one hash. It goes to the
login page directly, since the router limits how often one address may ask. Then a small page is requested through the
router by https, as it is, and with `login: members`, where the router verifies a signed token in each request. One
program is all clients, on the same machine: if that has other work, compare the processor time, and not the rates.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker

from bench.directory import CONNECTIONS, MEMBERS, PASSWORD, WITH_PASSWORD, Rate, fill, hashes, memory
from lab import toy
from lab.collectives import copy_of_ours
from lab.hosts import Host
from tests.live.portal import BASE, Visitor, fill_in_directly

if TYPE_CHECKING:
    from lab.collectives import Collective

SECONDS = 5.0
PORTAL, ROUTER = "darkpeak-account-portal", "darkpeak-router-haproxy"
OPEN = "routes: {http: 6900}"
GATED = f"{OPEN}\n  login: members"
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def log_in(port: int, number: int) -> None:
    """Log a member in at the login page, as a browser does, from an address of their own."""
    address, uid = f"192.0.2.{number % 250 + 1}", f"m{number % WITH_PASSWORD}"
    page, cookies = fill_in_directly(port, address, uid, PASSWORD)
    assert "account=" in cookies, page


def logins(port: int, clients: int, seconds: float) -> Rate:
    """Log members in with several clients at once, for some seconds; return how often."""

    def do(first: int) -> list[float]:
        times, end, number = [], time.perf_counter() + seconds, first
        while (begun := time.perf_counter()) < end:
            log_in(port, number)
            times.append(time.perf_counter() - begun)
            number += 1
        return times

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = sorted(one for found in pool.map(do, range(0, 1000 * clients, 1000)) for one in found)
    elapsed = time.perf_counter() - begun
    return Rate(round(len(times) / elapsed, 1), round(1000 * times[int(len(times) * 0.99)], 2))


@dataclass(frozen=True)
class Requests(Rate):
    """Requests through the router, and the processor time that haproxy used for each, in microseconds."""

    router_us: float


def processor(host: Host) -> float:
    """Return the processor time that the router has used, in microseconds."""
    (container,) = docker.DockerClient(host.docker_host).containers.list(filters={"name": ROUTER})
    told: Any = container.stats(stream=False, one_shot=True)
    return float(told["cpu_stats"]["cpu_usage"]["total_usage"]) / 1000


def requests(host: Host, clients: int, seconds: float, *headers: str) -> Requests:
    """Request the page through the router by https, on connections that stay open."""
    before = processor(host)
    options = [part for header in ("Host: hello.localhost", *headers) for part in ("-H", header)]
    command = ["wrk", "-t1", f"-c{clients}", f"-d{round(seconds)}s", "--latency", *options, "https://127.0.0.1:7443/"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = processor(host) - before
    assert "Non-2xx" not in printed, printed
    number = re.search(r"(\d+) requests in", printed)
    assert number, printed
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", printed)
    often = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert slowest, printed
    assert often, printed
    p99 = round(float(slowest[1]) * UNITS[slowest[2]], 2)
    return Requests(float(often[1]), p99, round(used / int(number[1]), 1))


def member_cookie() -> str:
    """Log a member in at the login page for the service; return the cookie with which the router lets them in."""
    member = Visitor("https://hello.localhost:7443", ("--insecure",))
    page = Visitor(BASE, member.options, member.jar)
    asked = member.location("/index.html").removeprefix(BASE)
    form = page.location(asked).removeprefix(BASE)
    page.submit(form, "user=m1", f"password={PASSWORD}")  # and it follows the way back, with the token
    found = re.search(r"__Host-member\s+(\S+)", Path(member.jar).read_text())
    assert found, "the router gave no cookie"
    return f"Cookie: __Host-member={found[1]}"


def with_gate(collective: Collective) -> None:
    """Have the router let only members in."""
    compose = collective.folder(toy.NAME) / "docker-compose.yml"
    compose.write_text(compose.read_text().replace(OPEN, GATED))
    collective.darkpeak("up", toy.NAME, timeout=600)


def measure(members: int, seconds: float) -> dict[str, Any]:
    """Start everything, and measure it."""
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = copy_of_ours(Path(folder, "collective"), host)
        collective.darkpeak("base", timeout=300)
        collective.darkpeak("add", "account")
        toy.add(collective)
        collective.darkpeak("up", "router", "directory", "account", toy.NAME, timeout=1800)
        fill(collective, members)
        found = dict[str, Any]({"members": members, "mib_at_rest": memory(host, PORTAL)})
        port = int(collective.compose("account", "port", "portal", "80").stdout.rpartition(":")[2])
        log_in(port, 0)
        alone = hashes(seconds)
        for clients in CONNECTIONS:
            found[f"login_{clients}"] = vars(logins(port, clients, seconds))
            found[f"open_{clients}"] = vars(requests(host, clients, seconds))
        with_gate(collective)
        cookie = member_cookie()
        for clients in CONNECTIONS:
            found[f"gated_{clients}"] = vars(requests(host, clients, seconds, cookie))
        found |= {"hashes_per_second": round(alone, 1), "mib_after": memory(host, PORTAL)}
    host.forget()
    return found


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    found = measure(options.members, options.seconds)
    if options.json:
        print(json.dumps(found))
        return
    print(
        "| clients | logins/s | p99 | open requests/s | p99 | `login: members` | p99 | haproxy's time, open and gated |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for clients in CONNECTIONS:
        login, plain, gated = (found[f"{what}_{clients}"] for what in ("login", "open", "gated"))
        cells = [cell for one in (login, plain, gated) for cell in (one["per_second"], f"{one['p99_ms']} ms")]
        print(f"| {clients} | {' | '.join(map(str, cells))} | {plain['router_us']} and {gated['router_us']} µs |")
    print(f"\n{found['members']} members: the login page uses {found['mib_at_rest']} MiB at rest, ", end="")
    print(f"{found['mib_after']} MiB afterwards; one thread makes {found['hashes_per_second']} hashes/s")


if __name__ == "__main__":
    main()
