"""What many deploys leave on the disk, `clean` removes; what a rollback needs stays."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from lab import toy
from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.collectives import Collective

ENGINE = ("/var/lib/docker", "/var/lib/containerd")
STORE = "http://127.0.0.1:6905/"
MIB = 2**20
SIZE = 12 * MIB  # of a version, on the disk


def used() -> int:
    """Return how many bytes the engine's data take on the disk of this host."""
    listed = run(["du", "--summarize", "--block-size=1", *ENGINE], check=False, timeout=120).stdout
    return sum(int(line.split()[0]) for line in listed.splitlines())


def deploy(collective: Collective, version: str) -> None:
    """Deploy a version that shares little with the others."""
    folder = collective.folder(toy.NAME) / "store"
    (folder / "data").write_bytes(os.urandom(SIZE))
    toy.write(collective, version, "store")
    collective.darkpeak("up", toy.NAME, timeout=300)


def store() -> str:
    """Return which version answers."""
    return run(["curl", "-sS", "--max-time", "20", STORE]).stdout


def test_after_many_deploys_clean_leaves_what_the_kept_ones_need(
    collective: Collective, campaign: Callable[..., int], say: Callable[[str], None]
) -> None:
    toy.add(collective)
    file = collective.folder(toy.NAME) / "store/Dockerfile"
    file.write_text(file.read_text().replace("COPY index", "COPY data /data\nCOPY index"))
    deploy(collective, "first")
    for number in range(4):
        deploy(collective, f"begin {number}")
    collective.darkpeak("clean", timeout=300)
    needed, rounds = used(), campaign(200, short=6)
    for number in range(rounds):
        deploy(collective, f"version {number}")
    full = used()
    done = json.loads(collective.darkpeak("clean", "--json", timeout=300).stdout)[0]
    left = used()
    sizes = ", ".join(
        f"{name} {size / MIB:.0f} MiB" for name, size in (("needed", needed), ("full", full), ("left", left))
    )
    say(f"{rounds} deploys of {SIZE / MIB:.0f} MiB: {sizes}; clean says {done['bytes'] / MIB:.0f} MiB")
    assert full - needed > rounds * SIZE * 0.9
    assert left < needed * 1.05
    assert left - needed < (full - needed) * 0.2  # with few rounds, all of them are less than 5 %
    collective.darkpeak("rollback", toy.NAME, timeout=300)
    assert store() == f"version {rounds - 2}"
