"""What the services cost while nobody uses them: processor time of the engine and of each container, and memory.

    bench/run bench/rest.py                 a table, after ten minutes without requests
    bench/run bench/rest.py --minutes 2     faster, and less exact
    bench/run bench/rest.py --json          the figures, as one object
    bench/run bench/rest.py --top FOLDER    the services of another checkout

All six services run in a test host, a network namespace with its own engine. /proc there has the time of each process,
also of ended ones. It is not the machine's load, so other programs on the machine hardly change it. A container's time
is what its control group has counted; the rest is the engine's (dockerd, containerd, runc, shims).
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

SETTLE = 120  # seconds until the services have finished starting
MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """The use until a moment: processor seconds of everything and of each container, and each one's memory in bytes."""

    seconds: float
    containers: dict[str, float]
    memory: dict[str, int]


def processor_seconds() -> float:
    """Return the seconds that all processes here have used, and their ended children; this process is not counted."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        if file.parent.name == str(os.getpid()):
            continue
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended, so its parent has its time
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / TICKS


def look(client: docker.DockerClient) -> Usage:
    """Return the use until now."""
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
    """Return the use during these minutes, in per cent of one core, and the memory at their end."""
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
    """Start all services of a checkout, and measure them at rest."""
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
    """Measure, and print the figures."""
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
    print(f"| the engine, for all services | {found['engine_percent']:.2f} | |")
    print(f"| total | {found['core_percent']:.2f} | {found['mib']} |")


if __name__ == "__main__":
    main()
