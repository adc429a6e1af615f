"""A service with replicas on a swarm of three hosts, from a laptop that knows only their URIs."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lab import trio
from lab.collectives import Collective, copy_of_ours
from lab.commands import run, wait_for
from lab.remote import Remote
from tests.live.load import four_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from lab.hosts import Host
    from tests.conftest import Campaign

OK = 200
PATIENCE = 20  # seconds: the router itself waits ten for a service that restarts


@dataclass
class Swarm:
    """A collective whose only services, the router and the trio, are on a manager with two nodes."""

    collective: Collective
    manager: Remote
    nodes: tuple[Remote, ...]
    uris: tuple[str, ...] = ()

    def ask(self) -> tuple[int, str]:
        """Ask the page through the manager's router; return the status and the text, or 0 and the error."""
        connection = http.client.HTTPConnection(self.manager.address, 7080, timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"Host": trio.HOST})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error)
        finally:
            connection.close()

    def state(self) -> str:
        """Return the word of `darkpeak status`."""
        rows = json.loads(self.collective.darkpeak("status", trio.NAME, "--json").stdout)
        return str(next(row["state"] for row in rows if row["service"] == trio.NAME))

    def places(self) -> list[str]:
        """Return the names of the nodes on which replicas of the page run, sorted."""
        argv = (
            "service",
            "ps",
            "darkpeak-trio_web",
            "--filter",
            "desired-state=running",
            "--format",
            "{{.Node}} {{.CurrentState}}",
        )
        return sorted(line.split()[0] for line in self.manager.docker(*argv) if line.split()[1] == "Running")


@dataclass
class Visitors:
    """People who ask all the time, and what they got."""

    answers: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def failed(self) -> dict[tuple[int, str], int]:
        """The answers that were not the page."""
        return {answer: number for answer, number in self.answers.items() if answer[0] != OK}

    def __str__(self) -> str:
        """Return how many asked, and how many of them did not get the page."""
        return f"{sum(self.answers.values())} requests, {sum(self.failed.values())} failed"


@contextmanager
def visitors(swarm: Swarm) -> Iterator[Visitors]:
    """Have four people ask meanwhile."""
    found = Visitors()

    def visit(_: int, over: Event) -> None:
        while not over.is_set():
            answer = swarm.ask()
            found.answers[answer] = found.answers.get(answer, 0) + 1

    with four_at_once(visit):
        yield found


@pytest.fixture(scope="module")
def swarm(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """Yield three hosts that are one swarm, with the trio on it."""
    collective = copy_of_ours(tmp_path_factory.mktemp("swarm") / "ours", seeded)
    for folder in collective.top.glob("services/*"):
        if folder.name != "router":
            shutil.rmtree(folder)
    trio.add(collective)
    text = (collective.top / "collective.toml").read_text()
    for name in ("ada", "grace"):
        key = collective.top / name
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)])
        public = key.with_suffix(".pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    text += '\n[backup]\nrepositories = ["volume:darkpeak-test-repository"]\n'
    (collective.top / "collective.toml").write_text(text)
    with Remote() as manager, Remote() as second, Remote() as third:
        uris = [host.start_sshd() for host in (manager, second, third)]
        with (collective.top / "collective.toml").open("a") as file:
            file.write(f'\n[hosts.cluster]\ndocker = "{uris[0]}"\nswarm = true\nservices = ["{trio.NAME}"]\n')
        for uri in uris:
            collective.darkpeak("host", "join", uri, "--to", "cluster")
        collective.darkpeak("up", timeout=600)
        try:
            yield Swarm(collective, manager, (second, third), tuple(uris))
        finally:
            for host in (second, third, manager):
                host.run(["docker", "--host", host.docker_host, "swarm", "leave", "--force"], check=False)


def test_updates_under_load(swarm: Swarm, campaign: Campaign, say: Callable[[str], None]) -> None:
    assert swarm.state() == "healthy"
    assert len(set(swarm.places())) > 1
    rounds = campaign(50, short=3)
    began = time.monotonic()
    with visitors(swarm) as people:
        for number in range(rounds):
            trio.write(swarm.collective, f"version {number}")
            swarm.collective.darkpeak("up", trio.NAME, timeout=300)
            assert swarm.ask() == (OK, f"version {number}")
    took = (time.monotonic() - began) / rounds
    say(f"{rounds} updates, {took:.0f} s each: {people}")
    assert people.failed == {}


def test_an_update_that_is_never_healthy_goes_back(swarm: Swarm, say: Callable[[str], None]) -> None:
    before = swarm.ask()
    trio.edit(swarm.collective, "'http://127.0.0.1/'", "'http://127.0.0.1/nothing'")
    began = time.monotonic()
    with visitors(swarm) as people:
        failed = swarm.collective.darkpeak("up", trio.NAME, timeout=300, check=False)
    took = time.monotonic() - began
    say(f"gone back after {took:.0f} s; {people}")
    trio.edit(swarm.collective, "", "")
    assert failed.returncode == 3, failed.stderr
    assert "did not become healthy: web" in failed.stderr
    assert "the version before never stopped" in failed.stderr
    assert people.answers.keys() == {before}
    assert swarm.state() == "healthy"
    assert "nothing to do" in swarm.collective.darkpeak("up", trio.NAME, timeout=300).stdout


def test_commands_work_as_on_any_host(swarm: Swarm) -> None:
    tool, key = swarm.collective.darkpeak, ("--identity", str(swarm.collective.top / "ada"))
    in_store = ("shell", trio.NAME, "store", "--")
    tool("backup", "init", *key, timeout=300)
    tool(*in_store, "book", "50", "7")
    assert "nothing to do" in tool("plan", trio.NAME).stdout
    tool("backup", trio.NAME, *key, timeout=300)
    kept = tool(*in_store, "cat", "/data/ledger").stdout
    assert len(kept.splitlines()) == 100
    tool(*in_store, "book", "3", "8")
    tool("restore", trio.NAME, *key, timeout=300)  # its script restarts the store
    assert tool(*in_store, "cat", "/data/ledger").stdout == kept
    assert tool("logs", trio.NAME).returncode == 0
    tool("stop", trio.NAME, timeout=120)
    assert swarm.state() == "stopped"
    tool("up", trio.NAME, timeout=300)
    before = swarm.ask()
    trio.write(swarm.collective, "newer")
    tool("up", trio.NAME, timeout=300)
    assert swarm.ask() == (OK, "newer")
    tool("rollback", trio.NAME, timeout=300)
    assert swarm.ask() == before


def test_the_manager_restarts_and_routes_stay(swarm: Swarm, say: Callable[[str], None]) -> None:
    before = swarm.ask()
    swarm.manager.stop_engine()
    began = time.monotonic()
    swarm.manager.start_engine()
    wait_for("the page", lambda: swarm.ask() == before, timeout=120)
    say(f"the page is back {time.monotonic() - began:.0f} s after the manager's engine began to start")
    wait_for("all replicas", lambda: swarm.state() == "healthy", timeout=120)


def test_a_node_is_killed(swarm: Swarm, say: Callable[[str], None]) -> None:
    wait_for("replicas on two nodes", lambda: len(set(swarm.places())) > 1, timeout=60)
    dead = next(host for host in swarm.nodes if host.run(["hostname"]).stdout.strip() in swarm.places())
    name = dead.run(["hostname"]).stdout.strip()
    began = time.monotonic()
    with visitors(swarm) as people:
        dead.process.kill()  # type: ignore[union-attr] # it runs
        wait_for(
            "the replicas elsewhere", lambda: len(places := swarm.places()) == 3 and name not in places, timeout=180
        )
        took = time.monotonic() - began
    say(f"three replicas elsewhere {took:.0f} s after a node was killed; {people.answers}")
    assert swarm.ask()[0] == OK
    assert swarm.state() == "healthy"
    uri = swarm.uris[1 + swarm.nodes.index(dead)]
    assert "struck off" in swarm.collective.darkpeak("host", "leave", uri).stdout
