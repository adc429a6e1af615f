"""What the directory does with 10,000 members: searches and logins a second, their p99, the hash's own cost; memory.

    bench/run bench/directory.py            a table
    bench/run bench/directory.py --json     the figures, as one object
    bench/run bench/directory.py --members 1000 --seconds 2    faster, and less exact

A search is what each service does first: anonymous, for one uid, over TLS. A login is a bind with the right password,
for which slapd hashes it again. How many such hashes one thread makes alone is measured just before and after, so the
ratio is what is left for all other work of a login. Connections stay open, as services keep them. One program is all
clients, so more searches than it can send are not seen.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lab.collectives import Collective, copy_of_ours
from lab.hosts import Host
from tests.live.facts.directory import PEOPLE, manage
from tests.live.ldap import Client, Guesser

if TYPE_CHECKING:
    from collections.abc import Callable

MEMBERS, SECONDS = 10_000, 5.0
CONNECTIONS = (1, 8)
WITH_PASSWORD = 20  # of the members: each password costs a hash when it is made
PASSWORD = "a long password"  # noqa: S105 (of members who are made up)
MIB = 1 << 20


@dataclass(frozen=True)
class Rate:
    """How often something was done in a second, and how long all but the slowest hundredth took, in milliseconds."""

    per_second: float
    p99_ms: float


def fill(collective: Collective, members: int) -> None:
    """Add members; the first ones have a password."""
    entries = (
        f"dn: uid=m{number},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: m{number}\ncn: Member {number}\nsn: {number}\n"
        f"mail: m{number}@example.org\n" + f"userPassword: {PASSWORD}\n" * (number < WITH_PASSWORD)
        for number in range(members)
    )
    collective.execute(
        *("directory", "slapd", "ldapadd", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"),
        stdin="\n".join(entries),
        timeout=1800,
    )
    one = manage(collective, "ldapsearch", "", "-LLL", "-b", PEOPLE, f"(uid=m{members - 1})", "uid")
    assert f"uid: m{members - 1}\n" in one


def rate(client: Client, connections: int, seconds: float, work: Callable[[Guesser, int], None]) -> Rate:
    """Do something on several connections at once, for some seconds; return how often."""

    def do(guesser: Guesser, first: int) -> list[float]:
        times, number, end = [], first, time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            work(guesser, number)
            times.append(time.perf_counter() - begun)
            number += 1
        return times

    with ExitStack() as stack, ThreadPoolExecutor(connections) as pool:
        opened = [stack.enter_context(Guesser(client)) for _ in range(connections)]
        begun = time.perf_counter()
        found = [pool.submit(do, guesser, 1000 * number) for number, guesser in enumerate(opened)]
        times = sorted(one for future in found for one in future.result())
        elapsed = time.perf_counter() - begun
    return Rate(round(len(times) / elapsed, 1), round(1000 * times[int(len(times) * 0.99)], 2))


def hashes(seconds: float) -> float:
    """Return how many hashes of the directory's kind one thread makes in a second."""
    number, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        Argon2id(salt=os.urandom(16), length=32, iterations=2, lanes=1, memory_cost=19456).derive(PASSWORD.encode())
        number += 1
    return number / (time.perf_counter() - begun)


def memory(host: Host, name: str = "darkpeak-directory-slapd") -> float:
    """Return the memory of a container, in MiB, without what the engine may drop."""
    (container,) = docker.DockerClient(host.docker_host).containers.list(filters={"name": name})
    told: Any = container.stats(stream=False, one_shot=True)
    detail = told["memory_stats"]["stats"]
    cached = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    return round(float(told["memory_stats"]["usage"] - cached) / MIB, 1)


def measure(members: int, seconds: float) -> dict[str, Any]:
    """Fill a directory, and measure it."""
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = copy_of_ours(Path(folder, "collective"), host)
        collective.darkpeak("base", timeout=300)
        collective.darkpeak("up", "directory", timeout=1800)
        fill(collective, members)
        collective.compose("directory", "restart", timeout=300)
        collective.compose("directory", "up", "-d", "--wait", timeout=300)
        client, found = (
            Client(collective, Path(folder)),
            dict[str, Any]({"members": members, "mib_at_rest": memory(host)}),
        )

        def search(guesser: Guesser, number: int) -> None:
            assert guesser.finds(f"m{number * 7919 % members}")

        def login(guesser: Guesser, number: int) -> None:
            assert guesser.logs_in(f"m{number % WITH_PASSWORD}", PASSWORD)

        for connections in CONNECTIONS:
            found[f"search_{connections}"] = vars(rate(client, connections, seconds, search))
            alone = hashes(seconds)
            one = rate(client, connections, seconds, login)
            alone = (alone + hashes(seconds)) / 2
            found[f"login_{connections}"] = {**vars(one), "over_hashes": round(one.per_second / alone, 2)}
            found["hashes_per_second"] = round(alone, 1)
        found["mib_after"] = memory(host)
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
    print("| with connections | searches/s | p99 | logins/s | p99 | logins for each hash of one processor |")
    print("|---|---|---|---|---|---|")
    for connections in CONNECTIONS:
        search, login = found[f"search_{connections}"], found[f"login_{connections}"]
        cells = (search["per_second"], f"{search['p99_ms']} ms", login["per_second"], f"{login['p99_ms']} ms")
        print(f"| {connections} | {' | '.join(map(str, cells))} | {login['over_hashes']} |")
    print(f"\n{found['members']} members: {found['mib_at_rest']} MiB at rest, {found['mib_after']} MiB afterwards")


if __name__ == "__main__":
    main()
