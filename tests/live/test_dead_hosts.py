"""Hosts that do not answer: a command does its work on the others, and says which did not, since when and why."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from lab import ledger, quick_key
from lab.collectives import Collective, copy_of_ours
from lab.commands import run, wait_for
from lab.kept import REPOSITORY, Kept
from lab.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.hosts import Host
    from tests.conftest import Campaign

LONGEST_WORK = 400  # seconds, of a command during which a host dies
LONGEST = 40  # seconds: the longest wait for one dead host is 25 s, and this machine is busy
SERVICES = {"home": "ones", "far": "twos", "away": "threes"}  # the service of each host


@dataclass(frozen=True)
class Three:
    """A collective on three hosts, each with a router and a ledger; `home` is the test's own host."""

    kept: Kept
    remotes: dict[str, Remote]

    @property
    def collective(self) -> Collective:
        """The collective, as admins use it."""
        return self.kept.collective

    def rows(self, text: str) -> dict[str, str]:
        """Return the state of each ledger in what `status --json` printed."""
        answer = json.loads(text)
        rows = answer["result"] if isinstance(answer, dict) else answer
        return {row["service"]: row["state"] for row in rows if row["service"] != "router"}

    def write_version(self, text: str) -> None:
        """Change a file of each ledger."""
        for service in SERVICES.values():
            file = self.collective.folder(service) / "store" / "verify"
            file.write_text(f"{ledger.FILES['store/verify']}# {text}\n")

    def outdated(self, text: str) -> set[str]:
        """Return the hosts on which a ledger does not run with that change."""
        place = {
            "home": self.collective.host.docker_host,
            **{name: it.docker_host for name, it in self.remotes.items()},
        }
        found = set()
        for host, service in SERVICES.items():
            argv = ["docker", "--host", place[host], "exec", f"darkpeak-{service}-store-1"]
            shown = run([*argv, "cat", "/usr/local/bin/verify"], check=False).stdout
            found |= set() if f"# {text}\n" in shown else {host}
        return found


def add_ledger(collective: Collective, name: str, block: int) -> None:
    """Add a ledger with another name and block."""
    ledger.add(collective)
    folder = collective.folder(ledger.NAME).rename(collective.folder(name))
    file = folder / "docker-compose.yml"
    text = file.read_text().replace("ledger", name).replace("/data/" + name, "/data/ledger")
    file.write_text(text.replace("6910", str(block)).replace("10.69.10.0", f"10.{block // 100}.{block % 100}.0"))


@pytest.fixture(scope="module")
def three(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """Yield the collective, deployed on three hosts, with a repository on each."""
    seeded.forget()
    top = tmp_path_factory.mktemp("three")
    collective = copy_of_ours(top / "ours", seeded)
    for folder in collective.top.glob("services/*"):
        if folder.name != "router":
            shutil.rmtree(folder)
    for number, name in enumerate(SERVICES.values()):
        add_ledger(collective, name, 6910 + 10 * number)
    with Remote() as far, Remote() as away:
        remotes = {"far": far, "away": away}
        kept = Kept(collective, write_collective(collective, {name: it.start_sshd() for name, it in remotes.items()}))
        collective.darkpeak("up", timeout=600)
        kept.darkpeak("backup init")
        for data in (kept.volume, *(it.data / f"docker/volumes/{REPOSITORY}/_data" for it in remotes.values())):
            quick_key.write(data, kept.secret.password)
        yield Three(kept, remotes)


def write_collective(collective: Collective, uris: dict[str, str]) -> Path:
    """Write the hosts and the admins' keys into collective.toml; return the path of one key."""
    file = collective.top / "collective.toml"
    text = file.read_text()
    for name in ("ada", "grace"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(collective.top / name)])
        public = (collective.top / f"{name}.pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    text += f'\n[backup]\nrepositories = ["volume:{REPOSITORY}"]\n'
    for host, uri in {"home": collective.host.docker_host, **uris}.items():
        text += f'\n[hosts.{host}]\ndocker = "{uri}"\nservices = ["{SERVICES[host]}"]\n'
    file.write_text(text)
    return collective.top / "ada"


# Ways to die, and to come back.


def refuse(remote: Remote) -> None:
    """End the ssh server and its connections."""
    remote.run(["pkill", "-KILL", "-x", "sshd"])


def swallow(remote: Remote, how: str = "-I") -> None:
    """Let no packet in: no answer comes, not even a refusal."""
    for chain in ("INPUT", "FORWARD"):
        remote.reach(["iptables", how, chain, "-m", "comment", "--comment", "dead", "-j", "DROP"])


def freeze(remote: Remote) -> None:
    """Stop the engine in the middle of what it does: it takes connections and never answers."""
    remote.run(["pkill", "-STOP", "-x", "dockerd"])


DEATHS: dict[str, tuple[Callable[[Remote], object], Callable[[Remote], object]]] = {
    "refused": (refuse, Remote.start_sshd),
    "engine killed": (Remote.kill_engine, Remote.start_engine),
    "swallowed": (swallow, partial(swallow, how="-D")),
    "frozen": (freeze, lambda remote: remote.run(["pkill", "-CONT", "-x", "dockerd"])),
}


@contextmanager
def silent_port() -> Iterator[int]:
    """Yield a port of this machine that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as taken:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.enter_context(server.accept()[0])

        thread = Thread(target=take)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_each_kind_of_death_is_one_line_and_all_are_waited_for_together(three: Three) -> None:
    collective, far = three.collective, three.remotes["far"]
    file = collective.top / "collective.toml"
    before = file.read_text()
    for number in range(6):
        add_ledger(collective, f"more{number}", 6940 + 10 * number)
    freeze(far)
    try:
        with silent_port() as port:
            uris = {
                "closed": "ssh://root@127.0.0.1:9",
                "nowhere": "ssh://root@198.18.9.9",
                "unknown": "ssh://root@nowhere.invalid",
                "denied": f"ssh://nobody@{three.remotes['away'].address}",
                "silent": f"tcp://127.0.0.1:{port}",
                "shut": "tcp://127.0.0.1:9",
            }
            placed = (
                f'[hosts.{name}]\ndocker = "{uri}"\nservices = ["more{n}"]\n'
                for n, (name, uri) in enumerate(uris.items())
            )
            file.write_text(before + "\n" + "\n".join(placed))
            began = time.monotonic()
            done = collective.darkpeak("status", "--json", check=False)
            took = time.monotonic() - began
    finally:
        DEATHS["frozen"][1](far)
        file.write_text(before)
        for number in range(6):
            shutil.rmtree(collective.folder(f"more{number}"))
    answer = json.loads(done.stdout)
    why = {host["host"]: host["why"] for host in answer["error"]["hosts"]}
    assert why.keys() == {*uris, "far"}
    for host, words in {
        "closed": "Connection refused",
        "nowhere": "198.18.9.9",
        "unknown": "no such host name",
        "denied": "permission denied",
        "silent": "no answer within 20 s",
        "shut": "refused",
        "far": "no Docker engine answers",
    }.items():
        assert words in why[host], why
    assert three.rows(done.stdout) == {"ones": "healthy", "threes": "healthy"}
    assert done.returncode == 3
    assert took < LONGEST


@dataclass(frozen=True)
class Work:
    """A command during which a host dies."""

    argv: tuple[str, ...]
    usual: float  # seconds that it takes on three hosts that live; the host dies at a random moment of them
    done_on: Callable[[Three, str, Any], set[str]]  # from the round and the result: the hosts where all is done


def healthy(_: Three, __: str, rows: Any) -> set[str]:
    return {row["host"] for row in rows if row["service"] != "router" and row["state"] == "healthy"}


def deployed(three: Three, version: str, _: Any) -> set[str]:
    return SERVICES.keys() - three.outdated(version)


def saved(_: Three, __: str, made: Any) -> set[str]:
    return {item["snapshot"].partition("@")[2] for item in made if item["snapshot"] and not item["failures"]}


def nightly(_: Three, __: str, lines: Any) -> set[str]:
    found = {line["about"]: line["message"] for line in lines}
    return {host for host, service in SERVICES.items() if f"@{host} saved" in found.get(service, "")}


QUICK = [
    ("status", "refused"),
    ("up", "engine killed"),
    ("backup", "refused"),
    ("status", "engine killed"),
    ("up", "refused"),
]
LEDGERS = tuple(SERVICES.values())
WORKS = {
    "status": Work(("status", "--json"), 1, healthy),
    "up": Work(("up", "--json", *LEDGERS), 12, deployed),
    "backup": Work(("backup", "--json", *LEDGERS), 25, saved),
    "nightly": Work(("nightly", "--json"), 60, nightly),
}


def test_a_host_that_dies_at_a_random_moment_stops_no_other(
    three: Three, campaign: Campaign, say: Callable[[str], None]
) -> None:
    """50 rounds with --long; otherwise five, of the commands and deaths that take least."""
    rounds = campaign(50, short=len(QUICK))
    every = [(name, death) for name in WORKS for death in DEATHS]
    for number in range(rounds):
        name, death = QUICK[number] if rounds == len(QUICK) else every[number % len(every)]
        victim = random.choice(sorted(three.remotes))  # noqa: S311 (no secret)
        say(f"{name}, {victim} {death}: {one_round(three, WORKS[name], victim, death)}")


def one_round(three: Three, work: Work, victim: str, death: str) -> str:
    """Have a host die during a command, look at what it did, and have the host come back; return what happened."""
    die, revive = DEATHS[death]
    version, moment = f"{random.random()}", random.uniform(0, work.usual)  # noqa: S311 (no secret)
    if work.done_on is deployed:
        three.write_version(version)
    identity = three.kept.identity if "backup" in work.argv or "nightly" in work.argv else ()
    began = time.monotonic()
    with three.collective.start(*work.argv, *identity) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        ended_before = process.poll() is not None
        die(three.remotes[victim])
        died = time.monotonic()
        try:
            printed, said = process.communicate(timeout=LONGEST_WORK)
        finally:
            waited = time.monotonic() - died
            revive(three.remotes[victim])
            process.kill()
    check(three, work, victim, version, process.returncode, printed, said)
    wait_for("all hosts to answer", lambda: not three.collective.darkpeak("status", check=False).returncode)
    three.collective.darkpeak("up", timeout=300)  # a killed engine has stopped its containers
    first = "ended before, " * ended_before
    return f"after {died - began:.1f} s; {first}exit code {process.returncode} {waited:.1f} s later"


def check(  # noqa: PLR0913, PLR0917 (all that a command gives back)
    three: Three, work: Work, victim: str, version: str, code: int, printed: str, said: str
) -> None:
    """Check that all is done on the hosts that live, and that the line about the dead one is right."""
    answer = json.loads(printed)
    assert "hosts" in answer["error"] if "error" in answer else True, answer
    failed = [host["host"] for host in answer["error"]["hosts"]] if "error" in answer else []
    result = answer["result"] if "error" in answer else answer
    done = work.done_on(three, version, result)
    assert done >= SERVICES.keys() - {victim}, (printed, said)
    assert set(failed) <= {victim}, said
    lines = [line for line in said.splitlines() if f"host {victim} " in line and "does not answer" in line]
    if code == 3:
        assert failed == [victim], said
        assert len(lines) == 1, said
    else:  # it had no need of the host any more
        assert (done, lines) == (set(SERVICES), []), (code, said)
