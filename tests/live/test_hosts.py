"""The test hosts themselves: separate from each other and from the machine, and removed at their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab import ledger
from lab import slots as lab
from lab.commands import run, wait_for
from lab.hosts import Host
from lab.kept import keep

if TYPE_CHECKING:
    import pytest

    from lab.collectives import Collective

FETCHES = "FROM debian:trixie\nRUN apt-get update\n"
STARTS_A_HOST = "import time; from lab.hosts import Host; print(Host().start().slot.number); time.sleep(600)"


def test_a_container_reaches_the_package_mirror(collective: Collective) -> None:
    docker = ["docker", "--host", collective.host.docker_host]
    built = run([*docker, "build", "--no-cache", "--quiet", "-"], stdin=FETCHES, timeout=120)
    run([*docker, "image", "rm", built.stdout.strip()])


def test_a_kept_collective_leaves_nothing_but_images(collective: Collective, tmp_path: Path) -> None:
    """Its `up` also starts the router, which stays; the router's records are removed with all others."""
    collective.darkpeak("up", "router", timeout=900)

    def ask(*words: str) -> set[str]:
        return set(run(["docker", "--host", collective.host.docker_host, *words]).stdout.split())

    before = ask("volume", "ls", "-q") | ask("ps", "-aq")
    records = ("volume", "ls", "-q", "--filter", "label=darkpeak.record")
    with keep(collective, tmp_path) as kept:
        kept.darkpeak("backup", ledger.NAME)
        assert ask(*records)
    assert (ask("volume", "ls", "-q") | ask("ps", "-aq")) - before == ask(*records) == set()


def test_one_host_uses_the_engine_of_another_over_ssh(host: Host) -> None:
    with Host() as second, Host() as third:
        uri = second.start_sshd()
        for where in (host, third):
            assert (
                where.run(["docker", "--host", uri, "info", "--format", "{{.Name}}"]).stdout.strip() == second.slot.name
            )
        assert second.slot.name != third.slot.name != host.slot.name


def test_an_engine_starts_again_after_a_crash() -> None:
    with Host() as second:
        second.kill_engine()
        wait_for("the engine to end", lambda: not second.engine_answers())
        second.start_engine()
        assert second.engine_answers()


def test_a_killed_engine_is_restarted_in_order_before_the_next_file_of_tests() -> None:
    """It keeps ports of containers that were removed meanwhile, until it has been stopped as an init does."""
    with Host() as second:
        first = engine_of(second)
        second.forget()
        assert engine_of(second) == first
        second.kill_engine()
        wait_for("the engine to end", lambda: not second.engine_answers())
        second.start_engine()
        crashed = engine_of(second)
        second.forget()
        assert len({first, crashed, engine_of(second)}) == 3
        last = engine_of(second)
        second.forget()
        assert (engine_of(second), second.engine_answers()) == (last, True)


def engine_of(host: Host) -> str:
    """Return the process of a host's engine."""
    return host.run(["pgrep", "-x", "dockerd"]).stdout.strip()


def test_a_host_ends_with_its_killed_owner_and_leaves_nothing(pytestconfig: pytest.Config) -> None:
    for _ in range(3):  # another run's host may claim the slot first, and then it removes the leftovers
        slot = kill_an_owner(pytestconfig.rootpath)
        claimed, lock = lab.claim()
        left = traces(claimed)
        os.close(lock)
        if claimed == slot:
            break
    assert claimed == slot
    assert left == []


def kill_an_owner(top: Path) -> lab.Slot:
    """Start a host and kill its owner; return its slot after the processes in it have ended."""
    owner = subprocess.Popen([sys.executable, "-c", STARTS_A_HOST], stdout=subprocess.PIPE, cwd=top)
    assert owner.stdout
    with owner, owner.stdout:
        slot = lab.Slot(int(owner.stdout.readline()))
        assert traces(slot)
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        wait_for("its processes to end", lambda: not processes(slot), timeout=10)
    return slot


def processes(slot: lab.Slot) -> list[str]:
    """Return the command lines that contain the slot's name."""
    lines = [line.read_bytes().decode() for line in Path("/proc").glob("[0-9]*/cmdline") if line.exists()]
    return [line for line in lines if slot.name in line or f"{slot.folder}/" in line]


def traces(slot: lab.Slot) -> list[str]:
    """Return everything that shows a host in this slot."""
    rules = [run(["iptables-save"]).stdout.count(f"--comment {slot.name} ") * "a rule"]
    links = [slot.link] if f" {slot.link}@" in run(["ip", "link"]).stdout else []
    folders = [str(slot.folder)] if slot.folder.exists() else []
    return [*processes(slot), *links, *folders, *(rule for rule in rules if rule)]
