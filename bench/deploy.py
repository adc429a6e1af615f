"""What a deploy costs, compared with plain `docker compose`, in one run.

    bench/run bench/deploy.py           a table
    bench/run bench/deploy.py --json    only the ratios

It runs in a test host, a network namespace with its own engine. Each figure is the median of several runs. The two take
turns, so that a change of the machine's speed does not favour one of them. With sixty services, the processor time of
all processes of the host is measured too, the engine's among them: other work on the machine hardly changes it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.rest import processor_seconds
from lab import toy
from lab.collectives import TOOL, TOP, Collective
from lab.commands import run
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICES = 60


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_turn(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> tuple[float, float]:
    """Return the medians of what two functions take that take turns."""
    pairs = [(measure(ours), measure(theirs)) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def processor(work: Callable[[], object]) -> float:
    """Return the processor seconds that all processes of the host use while it runs."""

    def used() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return processor_seconds() + ended.ru_utime + ended.ru_stime

    begun = used()
    work()
    return used() - begun


def measure_many(collective: Collective, rounds: int) -> dict[str, tuple[float, float]]:
    """Measure `up` with nothing to do, and `status`, with many services: time, and processor time."""
    names = toy.add_many(collective, SERVICES)
    collective.darkpeak("up", timeout=1800)

    def each(*arguments: str) -> Callable[[], object]:
        return lambda: [collective.compose(name, *arguments) for name in names]

    everything = [*names, "router"]
    ways = {
        "noop_up_60": (lambda: collective.darkpeak("up", *everything), each("up", "-d")),
        "status_60": (lambda: collective.darkpeak("status"), each("ps")),
    }
    found = {name: in_turn(ours, theirs, rounds) for name, (ours, theirs) in ways.items()}
    for name, (ours, theirs) in ways.items():
        found[f"{name}_processor"] = in_turn(ours, theirs, rounds, processor)
    return found


def measure_deploy(collective: Collective, rounds: int) -> tuple[float, float]:
    """Measure a deploy of the wiki: darkpeak starts the new one beside the old one; compose stops it and starts it."""
    path = collective.folder("wiki") / "webserver" / "Dockerfile"
    kept, number = path.read_text(), 0

    def change() -> None:
        nonlocal number
        number += 1
        path.write_text(f"{kept}\nLABEL bench=number-{number}\n")

    ours, theirs = [], []
    for _ in range(rounds):
        change()
        ours.append(seconds(lambda: collective.darkpeak("up", "wiki", timeout=300)))
        change()
        theirs.append(
            seconds(lambda: collective.compose("wiki", "up", "-d", "--wait", "--build", "webserver", timeout=300))
        )
        collective.darkpeak("up", "wiki", timeout=300)
    return statistics.median(ours), statistics.median(theirs)


def measure(collective: Collective, rounds: int) -> dict[str, tuple[float, float]]:
    """Return darkpeak's and compose's seconds, by the name of the figure."""
    collective.darkpeak("base", timeout=300)
    environment = dict(collective.environment)
    found = {
        "help_over_compose_version": in_turn(
            lambda: run([str(TOOL), "--help"], env=environment),
            lambda: run(["docker", "compose", "version"], env=environment),
            rounds * 5,
        )
    }
    collective.darkpeak("up", "wiki", timeout=900)
    found["deploy_over_compose"] = measure_deploy(collective, rounds)
    collective.darkpeak("down", "wiki", "directory", timeout=120)
    for name in ("wiki", "directory"):
        run(["rm", "-r", str(collective.folder(name))])
    return found | measure_many(collective, rounds)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = Collective(Path(folder), host)
        run(["cp", str(TOP / "collective.toml"), folder])
        for name in ("router", "directory", "wiki"):
            run(["cp", "-r", "--parents", f"services/{name}", folder], cwd=TOP)
        found = measure(collective, options.rounds)
        host.forget()
    # Of these it is compose's time divided by darkpeak's; of the others it is the reverse.
    faster = {name for name in found if name.startswith(("noop_up", "status"))}
    ratios = {
        name: round(theirs / ours if name in faster else ours / theirs, 2) for name, (ours, theirs) in found.items()
    }
    if options.json:
        print(json.dumps(ratios))
        return
    print("| | darkpeak | docker compose | |\n|---|---|---|---|")
    for name, (ours, theirs) in found.items():
        word = "times faster" if name in faster else "times compose's time"
        print(f"| {name} | {ours:.2f} s | {theirs:.2f} s | {ratios[name]} {word} |")


if __name__ == "__main__":
    main()
