"""What `darkpeak updates` costs, compared with each container's own scripts/updates.

    bench/run bench/updates.py                     a table, with 50 containers
    bench/run bench/updates.py --containers 10     faster
    bench/run bench/updates.py --json              only the ratios

It runs in a test host, a network namespace with its own engine. The scripts run one after another, and then all at the
same time. Each answer must be the same. `cold` begins without an index, `warm` has one from the run before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from lab import toy
from lab.collectives import TOP, Collective
from lab.commands import run
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCRIPT = TOP / "services/wiki/scripts/updates"
OLDER = "/^Package: hostname$/,/^$/s/^Version: .*/&~older/"
PEAK = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
INDEXES = ("docker", "volume", "ls", "--quiet", "--filter", "label=darkpeak.index")


def start(collective: Collective, number: int) -> list[str]:
    """Start services with one container each, of which every second has an outdated package; return their names."""
    names = toy.add_many(collective, number)
    collective.darkpeak("base", timeout=600)
    for place, name in enumerate(names):
        shutil.copy(SCRIPT, collective.folder(name) / "scripts/updates")
        collective.compose(name, "up", "--detach", "--build", timeout=600)
        if place % 2:
            collective.execute(name, "web", "sed", "-i", OLDER, "/var/lib/dpkg/status")
    return names


def timed(work: Callable[[], list[str]]) -> tuple[float, list[str]]:
    """Return how many seconds it takes, and its sorted answer."""
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, sorted(answer)


def ask_scripts(collective: Collective, names: Sequence[str], at_once: int) -> list[str]:
    """Run the services' scripts, some at once; return lines as those of `darkpeak updates`."""
    with ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(lambda name: collective.script(name, "updates", timeout=3600).stdout, names)
        found = [(name, line.split()) for name, text in zip(names, answers, strict=True) for line in text.splitlines()]
    return [f"{name} {words[4][1:-1]} {words[0]} {words[1]} {words[3]}" for name, words in found]


def ask_tool(collective: Collective, names: Sequence[str]) -> list[str]:
    """Return the lines of `darkpeak updates`, without the mark of security updates."""
    ran = collective.darkpeak("updates", *names, timeout=3600, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    return [" ".join(line.split()[:5]) for line in ran.stdout.splitlines()]


def measure(collective: Collective, names: Sequence[str]) -> dict[str, float]:
    """Return the seconds of each way."""
    cold, answer = timed(lambda: ask_tool(collective, names))
    warm, again = timed(lambda: ask_tool(collective, names))
    ten, _ = timed(lambda: ask_tool(collective, names[:10]))
    parallel, of_parallel = timed(lambda: ask_scripts(collective, names, len(names)))
    sequence, of_sequence = timed(lambda: ask_scripts(collective, names, 1))
    assert answer == again == of_parallel == of_sequence
    assert len(answer) >= len(names) // 2
    return {
        "cold": cold,
        "warm": warm,
        "ten_warm": ten,
        "scripts_in_parallel": parallel,
        "scripts_in_sequence": sequence,
    }


def peak_mib(collective: Collective, names: Sequence[str]) -> float:
    """Return the most memory that the tool, or a program that it starts, has at once."""
    argv = [sys.executable, "-c", PEAK, str(collective.tool), "updates", *names]
    ran = run(argv, cwd=collective.top, env=collective.environment, timeout=3600)
    return int(ran.stdout.splitlines()[-1]) / 1024


def index_mib(host: Host) -> float:
    """Return the size of all indexes."""
    docker = ("docker", "--host", host.docker_host)
    names = host.run([*docker, *INDEXES[1:]]).stdout.split()
    paths = host.run([*docker, "volume", "inspect", "--format", "{{.Mountpoint}}", *names]).stdout.split()
    return sum(int(host.run(["du", "-sm", path]).stdout.split()[0]) for path in paths)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--containers", type=int, default=50)
    options = parser.parse_args()
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = Collective(Path(folder), host)
        run(["cp", str(TOP / "collective.toml"), folder])
        names = start(collective, options.containers)
        found = measure(collective, names)
        peak, size = peak_mib(collective, names), index_mib(host)
        host.forget()
    ratios = {
        "sequence_over_warm": round(found["scripts_in_sequence"] / found["warm"], 1),
        "parallel_over_warm": round(found["scripts_in_parallel"] / found["warm"], 1),
        "sequence_over_cold": round(found["scripts_in_sequence"] / found["cold"], 1),
    }
    sizes = {"containers": options.containers, "index_mib": round(size), "peak_mib": round(peak)}
    if options.json:
        print(json.dumps({**ratios, **sizes}))
        return
    print("| | seconds |\n|---|---|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.1f} |")
    print(f"\n{ratios}, {sizes}")


if __name__ == "__main__":
    main()
