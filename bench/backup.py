"""What a backup costs, compared with plain restic, `tar | zstd` and borg on the same data, in one run.

    bench/run bench/backup.py           a table
    bench/run bench/backup.py --json    the figures that have a bound

The data is 8 GiB (--mib) in a volume: one third each of data that does not compress (pictures), of text, and of small
files. Its scripts are like shapes/static's, so darkpeak reads it in place, as the others do. Darkpeak's backup is
the whole command, from its start until the snapshot was read back. Darkpeak's restore is the part of the command from
the repository to files that were compared with the manifest's list. The others' figures are for the program only, in a
container on the same engine, with its cache and the same host name each time. Removing the restored files has its own
row. Each figure is the median of several rounds. The four take turns, and every second round has the opposite order.
It takes about 50 minutes and 45 GiB of disk; with `--mib 1024 --rounds 4`, about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from darkpeak.actions.backup import folder_of
from darkpeak.collective import read
from darkpeak.helper.container import WORK
from lab.collectives import TOP, Collective
from lab.commands import run
from lab.hosts import Host
from lab.kept import REPOSITORY, Kept, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "archive"
GIB = 1024
HELPER = "darkpeak-helper"
COMPOSE = """\
name: darkpeak-archive
x-darkpeak:
  {about: A lot of files, block: 6950, admins: [ada, grace], kind: user, level: alpha}
services:
  store: {build: store, init: true, volumes: ["data:/data"]}
networks:
  default: {ipam: {config: [{subnet: 10.69.50.0/24}]}}
volumes:
  data: {}
"""
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY fill /usr/local/bin/
RUN chmod 755 /usr/local/bin/fill
VOLUME ["/data"]
HEALTHCHECK CMD true
CMD ["sleep", "infinity"]
"""
OTHERS = f"""\
FROM {HELPER}
RUN apt-get update && apt-get install -y --no-install-recommends borgbackup zstd && rm -rf /var/lib/apt/lists/*
"""
UNPACK_BORG = "cd /b; borg extract /r::$(borg list --short --last 1 /r)"
UNPACK = "zstd -qdc /r/data.tar.zst | tar -C /b -xf -"
PACK = "tar -C /data -cf - . | zstd -q -T0 -f -o /r/data.tar.zst"
FILL = """\
#!/usr/bin/python3
# fill MIB SEED SHARE: writes the data; with a share below 1, replaces only that share of it.
import random, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
mib, seed, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
def fill(kind, size):
    dice = random.Random(f"{kind} {seed}")
    words = [f"{dice.getrandbits(32):x}".encode() for _ in range(4000)]
    for number in range((mib << 20) // 3 // size):
        path = Path("/data", kind, str(number % 100), str(number))
        if dice.random() < share:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = kind != "pictures"
            path.write_bytes(b" ".join(dice.choices(words, k=size // 9 + 1))[:size] if text else dice.randbytes(size))
with ProcessPoolExecutor() as pool:
    list(pool.map(fill, ("text", "small", "pictures"), (1 << 20, 8 << 10, 4 << 20)))
"""
BACKUP = """\
#!/bin/sh
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
docker compose cp -a store:/data/. "$folder/data"
"""
RESTORE = """\
#!/bin/sh
set -eu
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
docker compose cp -a "$folder/data/." store:/data
"""


def add(collective: Collective) -> None:
    """Add the service to a collective."""
    folder = collective.folder(NAME)
    scripts = {"backup": BACKUP, "restore": RESTORE, "updates": "#!/bin/sh\n"}
    files = {"docker-compose.yml": COMPOSE, "README.md": "# Archive\n"}
    files |= {"store/Dockerfile": DOCKERFILE, "store/fill": FILL}
    for name, text in (files | {f"scripts/{name}": text for name, text in scripts.items()}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in scripts:
        (folder / "scripts" / name).chmod(0o755)


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds it takes, after the disk has written everything from before."""
    os.sync()
    return seconds_at_once(work)


def seconds_at_once(work: Callable[[], object]) -> float:
    """Return how many seconds it takes, while the disk may still write what was before."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Peak:
    """The highest memory use of the helper's processes together, in MiB, measured ten times a second."""

    def __init__(self) -> None:
        self.mib = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure until the block ends."""
        over = Event()
        thread = Thread(target=self._watch, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: Event) -> None:
        while not over.wait(0.1):
            self.mib = max(self.mib, sum(map(resident, Path("/proc").glob("[0-9]*"))) / 1024)


def resident(process: Path) -> int:
    """Return a process's own memory in KiB if it is restic or Python in the helper, else 0."""
    try:
        if (process / "comm").read_text().strip() not in {"restic", "python3"}:
            return 0
        if not (process / "root/usr/local/lib/darkpeak").is_dir():
            return 0
        lines = (process / "status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    except OSError:
        return 0


class Bench:
    """The four programs, which do the same work."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.peak = Peak()
        self.restoring = ExitStack()
        self.service = next(item for item in read(kept.collective.top)[0].services if item.name == NAME)

    def plain(self, volumes: dict[str, str], words: str, image: str = HELPER) -> None:
        """Run one of the other programs in a container, with volumes."""
        mounts = [f"--volume={name}:{path}" for name, path in {**volumes, "bench-cache": "/cache"}.items()]
        # Their caches and the host name stay the same: otherwise restic and borg read every file again.
        values = ("RESTIC_PASSWORD=bench", "BORG_PASSPHRASE=bench", "RESTIC_CACHE_DIR=/cache", "BORG_BASE_DIR=/cache")
        environment = [f"--env={value}" for value in values]
        argv = ["docker", "--host", self.kept.collective.host.docker_host, "run", "--rm", "--hostname=bench"]
        argv += [*environment, *mounts]
        run([*argv, image, "bash", "-euc", words], timeout=1800)

    def fill(self, mib: int, seed: int, share: float = 1) -> None:
        """Write the data, or replace a share of it."""
        argv = ("fill", str(mib), str(seed), str(share))
        self.kept.collective.execute(NAME, "store", *argv, timeout=900)

    def empty(self, *volumes: str) -> None:
        """Make volumes, or empty them."""
        for name in volumes:
            argv = ["docker", "--host", self.kept.collective.host.docker_host, "volume"]
            run([*argv, "rm", "-f", name], timeout=600)
            run([*argv, "create", name])

    def ours(self) -> None:
        """Make a snapshot with the command."""
        with self.peak.watched():
            self.kept.darkpeak("backup", NAME)

    def back(self) -> None:
        """Fetch the newest snapshot, and verify every byte."""
        work = self.restoring.enter_context(self.kept.session())
        known = max(work.snapshots(NAME), key=lambda item: item.number)
        work.repository_of(known).fetch(known, folder_of(self.service), f"{WORK}/back", lambda _: None)

    def drop(self) -> None:
        """Remove the fetched files, as each command does at its end."""
        self.restoring.close()

    def round(self, mib: int, seed: int) -> dict[str, float]:
        """Measure everything once."""
        data = {"darkpeak-archive_data": "/data"}
        found: dict[str, float] = {}
        self.empty(REPOSITORY, "bench-restic", "bench-borg", "bench-tar", "bench-back")
        self.kept.darkpeak("backup init")
        self.plain({"bench-restic": "/r"}, "restic -q -r /r init")
        self.plain({"bench-borg": "/r"}, "borg init -e repokey /r", "bench-others")
        restic, borg = {**data, "bench-restic": "/r"}, {**data, "bench-borg": "/r"}
        tar = {**data, "bench-tar": "/r"}
        save = {
            "ours": self.ours,
            "restic": lambda: self.plain(restic, "restic -q -r /r backup /data"),
            "borg": lambda: self.plain(borg, "borg create -C zstd /r::{now} /data", "bench-others"),
            "tar": lambda: self.plain(tar, PACK, "bench-others"),
        }
        back = {name: {f"bench-{name}": "/r", "bench-back": "/b"} for name in ("restic", "borg", "tar")}
        bring_back = {
            "ours": self.back,
            "restic": lambda: self.plain(back["restic"], "restic -q -r /r restore latest --target /b/all"),
            "borg": lambda: self.plain(back["borg"], UNPACK_BORG, "bench-others"),
            "tar": lambda: self.plain(back["tar"], UNPACK, "bench-others"),
        }
        drop = dict.fromkeys(bring_back, lambda: self.plain({"bench-back": "/b"}, "find /b -mindepth 1 -delete"))
        drop["ours"] = self.drop
        self.fill(mib, seed)
        # A disk is slower for a while after much writing, so each program is first as often as last.
        names = list(save)[:: -1 if seed % 2 else 1]
        found |= {f"first {name}": seconds(save[name]) for name in names}
        self.fill(mib, seed + 1000, 0.02)
        found |= {f"changed {name}": seconds(save[name]) for name in names}
        for name in names:
            found |= {f"restored {name}": seconds(bring_back[name]), f"dropped {name}": seconds_at_once(drop[name])}
        return found


def measure(bench: Bench, rounds: int, mib: int) -> dict[str, float]:
    """Return the median of each figure, in seconds."""
    found = [bench.round(mib, seed) for seed in range(rounds)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def bounds(found: dict[str, float], bench: Bench, mib: int) -> dict[str, float]:
    """Return the figures that have a bound."""
    return {
        "first_over_restic": round(found["first ours"] / found["first restic"], 2),
        "restore_over_restic": round(found["restored ours"] / found["restored restic"], 2),
        "incremental_s_per_gib": round(found["changed ours"] / (mib / GIB), 2),
        "helper_mib": round(bench.peak.mib),
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=8 * GIB)
    options = parser.parse_args()
    host = Host.current()
    host.forget()
    with tempfile.TemporaryDirectory() as folder:
        collective = Collective(Path(folder) / "from", host)
        (collective.top / "services").mkdir(parents=True)
        run(["cp", str(TOP / "collective.toml"), str(collective.top)])
        add(collective)
        collective.darkpeak("base", timeout=300)
        with keep(collective, Path(folder) / "kept") as kept:
            collective.compose(NAME, "up", "-d", "--build", "--wait", timeout=900)
            run(
                ["docker", "--host", host.docker_host, "build", "-q", "-t", "bench-others", "-"],
                stdin=OTHERS,
                timeout=900,
            )
            bench = Bench(kept)
            found = measure(bench, options.rounds, options.mib)
            held = bounds(found, bench, options.mib)
    host.forget()
    if options.json:
        print(json.dumps(held))
        return
    names = ("ours", "restic", "borg", "tar")
    print("| | darkpeak | restic | borg | tar and zstd |\n|---|---|---|---|---|")
    steps = {"first": "first backup", "changed": "2 % changed", "restored": "restore", "dropped": "remove the files"}
    for step, about in steps.items():
        print(f"| {about} | " + " | ".join(f"{found[f'{step} {name}']:.1f} s" for name in names) + " |")
    print("\n" + "\n".join(f"{name}: {value}" for name, value in held.items()))


if __name__ == "__main__":
    main()
