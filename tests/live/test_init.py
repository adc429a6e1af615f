"""A stranger's run: the tool from its wheel, a collective by `init`, and services by `new`, with no edit by hand."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from lab import wheel
from lab.collectives import Collective
from lab.commands import run
from tests.live.daemons import states
from tests.live.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.hosts import Host

# This domain needs no DNS, of which `darkpeak doctor` would complain here.
GIVEN = ("--name", "Village", "--domain", "localhost", "--admin", "ada", "--admin", "grace")
# The commands of the README that `init` writes, and how they are run here.
COMMANDS = {
    "doctor": "doctor",
    "status": "status",
    "roadmap": "roadmap",
    "plan": "plan",
    "up": "up",
    "member add NAME": "member add ada --password-stdin",
    "add NAME": "add wiki",
    "new NAME --like web": "new notes --like web",
    "lint": "lint",
    "help backup": "help backup",
    "help admins": "help admins",
}


@pytest.fixture(scope="module")
def village(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Collective:
    """Return a collective that the tool's wheel has made; nothing of it runs yet."""
    seeded.forget()
    folder = tmp_path_factory.mktemp("stranger")
    tool = wheel.install(folder) / "darkpeak"
    run([str(tool), "init", str(folder / "village"), *GIVEN])
    return Collective(folder / "village", seeded, tool=tool)


@pytest.fixture
def running(village: Collective) -> Collective:
    """Return the collective, with the router and the directory."""
    village.darkpeak("up", timeout=600)
    return village


def test_a_new_collective_is_planned_and_starts(village: Collective) -> None:
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


def test_each_command_of_its_readme_works(running: Collective) -> None:
    """No command needs this repository, and what `add` and `new` make has no finding."""
    text = (running.top / "README.md").read_text()
    assert set(re.findall(r"`darkpeak ([^`]+)`", text)) == COMMANDS.keys()
    try:
        for words in COMMANDS.values():
            running.darkpeak(*words.split(), stdin="the peas are sown\n", timeout=300)
    finally:
        run(["git", "-C", str(running.top), "clean", "--force", "-d", "--quiet", "services"])


@pytest.mark.parametrize(("shape", "source"), shapes("web-pypi"))
def test_a_new_service_passes_its_whole_life(
    running: Collective, shape: str, source: str, say: Callable[[str], None]
) -> None:
    name = f"my-{shape}-{source}"
    running.darkpeak("new", name, "--like", shape, "--from", source)
    try:
        if source != "debian":
            running.fetch_packages(name)
        assert running.darkpeak("lint", name).stdout == ""
        tested = running.darkpeak("test", name, "--json", timeout=600, check=False)
        assert tested.returncode == 0, tested.stdout + tested.stderr
        (trial,) = json.loads(tested.stdout)
        assert {step["step"]: step["message"] for step in trial["steps"] if step["result"] == "skipped"} == {}
        say(f"{name}: {sum(step['seconds'] for step in trial['steps']):.0f} s")
    finally:
        shutil.rmtree(running.folder(name))
