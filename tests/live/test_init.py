"""A collective of one's own: what `darkpeak init` made is planned, starts, and differs in nothing from its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.collectives import TOOL, Collective
from lab.commands import run
from tests.live.daemons import states

if TYPE_CHECKING:
    from pathlib import Path

    from lab.hosts import Host

GIVEN = ("--name", "Village", "--domain", "village.test", "--admin", "ada", "--admin", "grace")


def test_a_new_collective_is_planned_and_starts(seeded: Host, tmp_path: Path) -> None:
    seeded.forget()
    run([str(TOOL), "init", str(tmp_path / "village"), *GIVEN])
    village = Collective(tmp_path / "village", seeded)

    planned = village.darkpeak("plan", check=False)
    assert planned.returncode == 1, "something is to be done"
    assert [line.partition(" ")[0] for line in planned.stdout.splitlines() if line[:1].isalpha()] == [
        "directory",
        "router",
    ]
    village.darkpeak("up", timeout=600)
    assert states(village) == {"directory": "healthy", "router": "healthy"}
    assert run(["git", "-C", str(village.top), "status", "--porcelain"]).stdout == ""
    assert village.darkpeak("plan").stdout.startswith("nothing to do")
