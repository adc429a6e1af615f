"""What the services cost while nobody uses them: processor time of the engine and of each container, and memory.

    bench/run bench/rest.py                 a table, after ten minutes of rest
    bench/run bench/rest.py --minutes 2     sooner, and less exact
    bench/run bench/rest.py --json          the figures, as one object
    bench/run bench/rest.py --top FOLDER    of another checkout's services

All six services run in a test host, a network namespace with an engine of its own. Counted is the time of each process
there, of dead ones too, by /proc and not by the machine's load: what else runs on the machine hardly changes it. What a
container used is what its control group has counted; the rest is the engine's (dockerd, containerd, runc, shims).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from lab.collectives import TOP, Collective
from lab.hosts import Host

SETTLE = 120  # seconds: what has just started is not at rest
MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What was used until a moment: seconds of a processor by everything and by each container, and bytes."""

    seconds: float
    containers: dict[str, float]
    memory: dict[str, int]


def processor_seconds() -> float:
    """Return the time that all processes here have used, with that of their children which have ended; not ours."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        if file.parent.name == str(os.getpid()):
            continue
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile, and so counts with its parent
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / TICKS


def look(client: docker.DockerClient) -> Usage:
    """Return what was used until now."""
    seconds, memory = {}, {}
    total = processor_seconds()
    for container in client.containers.list():
        project, service = (container.labels[f"com.docker.compose.{key}"] for key in ("project", "service"))
        name = f"{project.removeprefix('darkpeak-')}/{service}"
        told: Any = container.stats(stream=False, one_shot=True)
        seconds[name] = told["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        detail = told["memory_stats"]["stats"]
        memory[name] = told["memory_stats"]["usage"] - detail.get("total_inactive_file", detail.get("inactive_file", 0))
    return Usage(total, seconds, memory)


def rest(client: docker.DockerClient, minutes: float) -> dict[str, Any]:
    """Return what was used in these minutes, in per cent of one core, and what memory was in use at their end."""
    time.sleep(SETTLE)
    begun, before = time.monotonic(), look(client)
    time.sleep(minutes * 60)
    after, elapsed = look(client), time.monotonic() - begun

    def percent(seconds: float) -> float:
        return round(100 * seconds / elapsed, 3)

    own = {name: after.containers[name] - before.containers[name] for name in sorted(before.containers)}
    total = after.seconds - before.seconds
    return {
        "minutes": minutes,
        "core_percent": percent(total),
        "engine_percent": percent(total - sum(own.values())),
        "mib": round(sum(after.memory.values()) / MIB, 1),
        "containers": {
            name: {"core_percent": percent(own[name]), "mib": round(after.memory[name] / MIB, 1)} for name in own
        },
    }


def measure(top: Path, minutes: float) -> dict[str, Any]:
    """Have all services of a checkout up, and leave them alone."""
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = Collective(Path(folder), host)
        shutil.copy(top / "collective.toml", folder)
        shutil.copytree(top / "services", Path(folder, "services"))
        collective.darkpeak("base", timeout=300)
        collective.darkpeak("up", timeout=1800)
        found = rest(docker.DockerClient(host.docker_host), minutes)
        host.forget()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--top", type=Path, default=TOP)
    options = parser.parse_args()
    found = measure(options.top, options.minutes)
    if options.json:
        print(json.dumps(found))
        return
    print("| | % of a core | MiB |\n|---|---|---|")
    for name, used in found["containers"].items():
        print(f"| {name} | {used['core_percent']:.2f} | {used['mib']} |")
    print(f"| the engine, for all | {found['engine_percent']:.2f} | |")
    print(f"| together | {found['core_percent']:.2f} | {found['mib']} |")


if __name__ == "__main__":
    main()
