"""What it costs to be led to another host: requests for each second of the routers' processors, and a large download.

    bench/run bench/peers.py           through the router where the service lives, and through another host's as well
    bench/run bench/peers.py --json    the figures, as one object

Both hosts are on one machine, so no line between them is slow.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from lab import seed, toy
from lab.collectives import Collective, copy_of_ours
from lab.commands import run
from lab.hosts import Host
from lab.remote import Remote

SECONDS, ROUNDS = 5, 3
MIB = 200
TICKS = 100  # of a processor's second, in /proc
WAYS = ("http", "https")
LARGE = f"dd if=/dev/zero of=/page/large bs=1048576 count={MIB}"


def write(collective: Collective, home: Host, far: Remote) -> None:
    """Write a collective with one service, which lives on `far`."""
    for folder in collective.top.glob("services/[!r]*"):
        shutil.rmtree(folder)
    toy.add(collective)
    text = (collective.top / "collective.toml").read_text()
    for name, uri, address, more in (
        ("home", home.docker_host, home.address, "ca = true\n"),
        ("far", far.start_sshd(), far.address, f'services = ["{toy.NAME}"]\n'),
    ):
        text += f'\n[hosts.{name}]\ndocker = "{uri}"\naddress = "{address}"\n{more}'
    (collective.top / "collective.toml").write_text(text)


def processor(uris: list[str]) -> float:
    """Return for how many seconds haproxy has used a processor, on these engines."""
    count = "cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == \"(haproxy)\" { used += $14 + $15 } END { print used }'"
    argv = [("docker", "--host", uri, "exec", "darkpeak-router-haproxy-1", "sh", "-c", count) for uri in uris]
    return sum(float(run(list(words)).stdout) for words in argv) / TICKS


def measure(way: str, address: str, uris: list[str]) -> dict[str, float]:
    """Return requests for each second of the routers' processors, and per second; the median of some rounds."""
    port = {"http": 7080, "https": 7443}[way]
    url = f"{way}://{address}:{port}/"
    wrk = ["wrk", "-t", "1", "-c", "20", "-d", f"{SECONDS}s", "-H", "Host: hello.localhost", url]
    found = []
    for _ in range(ROUNDS):
        used, began = processor(uris), time.monotonic()
        said = run(wrk, timeout=SECONDS + 30).stdout
        took = time.monotonic() - began
        if "Non-2xx" in said:
            raise SystemExit(said)
        requests = int(next(line for line in said.splitlines() if " requests in " in line).split()[0])
        found.append((round(requests / (processor(uris) - used)), round(requests / took)))
    per_processor, per_second = sorted(found)[ROUNDS // 2]
    return {"per processor": per_processor, "per second": per_second}


def download(url: str) -> float:
    """Return the MiB per second of a large file; the median of some rounds."""
    curl = ["curl", "--silent", "--output", "/dev/null", "--insecure", "--fail", "--write-out", "%{speed_download}"]
    speeds = [float(run([*curl, "--header", "Host: hello.localhost", url], timeout=120).stdout) for _ in range(ROUNDS)]
    return round(sorted(speeds)[ROUNDS // 2] / (1 << 20))


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    home = Host.current()
    seed.provide(home)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, Remote() as far:
        collective = copy_of_ours(Path(folder, "ours"), home)
        write(collective, home, far)
        collective.darkpeak("up", timeout=900)
        run(["docker", "--host", far.docker_host, "exec", "darkpeak-hello-web-1", "sh", "-c", LARGE], timeout=60)
        for way in WAYS:
            for what, address, uris in (
                ("one router", far.address, [far.docker_host]),
                ("two routers", home.address, [home.docker_host, far.docker_host]),
            ):
                port = {"http": 7080, "https": 7443}[way]
                found[f"{way}, {what}"] = measure(way, address, uris)
                found[f"{way}, {what}"]["MiB/s"] = download(f"{way}://{address}:{port}/large")
    if as_json:
        print(json.dumps(found))
        return
    for what, row in found.items():
        print(f"{what:20}" + "".join(f"{value:10,.0f} {name}" for name, value in row.items()))


if __name__ == "__main__":
    main()
