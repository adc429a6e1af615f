"""A service moves to another host and back, while members write into it: nothing that was answered is lost."""

from __future__ import annotations

import http.client
import json
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lab import book, ledger
from lab.collectives import Collective, copy_of_ours
from lab.commands import run, wait_for
from lab.hosts import SSH
from lab.kept import Kept
from lab.remote import Remote
from tests.live.load import four_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from lab.hosts import Host
    from tests.conftest import Campaign

PATIENCE = 15  # seconds: the router itself waits ten for a service that restarts
OK = 200
ENTRY = 0.05  # seconds between a member's requests


@dataclass(frozen=True)
class Pair:
    """A collective on two hosts, with the book on `home`, the test's own host."""

    kept: Kept
    far: Remote

    @property
    def collective(self) -> Collective:
        """The collective, as admins use it."""
        return self.kept.collective

    def address(self, host: str) -> str:
        """Return the address of a host's router."""
        return "127.0.0.1" if host == "home" else self.far.address

    def ask(self, host: str, path: str) -> tuple[int, str]:
        """Ask the book through a host's router; return the status and the text; 0 if there is no answer."""
        connection = http.client.HTTPConnection(self.address(host), 7080, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": "book.localhost"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def running(self) -> set[str]:
        """Return the hosts on which the book's container runs."""
        uris = {"home": self.collective.host.docker_host, "far": self.far.docker_host}
        argv = ("ps", "--quiet", "--filter", "label=com.docker.compose.project=darkpeak-book")
        return {host for host, uri in uris.items() if run(["docker", "--host", uri, *argv]).stdout.strip()}

    def lives_on(self) -> str:
        """Return the host that collective.toml names."""
        text = (self.collective.top / "collective.toml").read_text()
        return "far" if f'"{book.NAME}"' in text.partition("[hosts.far]")[2] else "home"


@dataclass
class Members:
    """Members who write lines, at either router: names may lead to any host."""

    pair: Pair
    written: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)  # when nobody took a line
    statuses: set[int] = field(default_factory=set)

    def write(self, name: str, ended: Event) -> None:
        """Write numbered lines until the end."""
        number = 0
        while not ended.wait(ENTRY):
            number += 1
            line = f"{name}-{number}"
            status = self.pair.ask(("home", "far")[number % 2], f"/cgi-bin/write?{line}")[0]
            if status == OK:
                self.written.append(line)
            else:
                self.refused.append(time.monotonic())
                self.statuses.add(status)


@contextmanager
def members(pair: Pair, name: str) -> Iterator[Members]:
    """Have four members write meanwhile."""
    found = Members(pair)
    with four_at_once(lambda number, over: found.write(f"{name}-{number}", over)):
        yield found


@pytest.fixture(scope="module")
def pair(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Yield the collective with the book, and a repository on the test's own host, which far reaches by sftp."""
    seeded.forget()
    top = tmp_path_factory.mktemp("pair")
    collective = copy_of_ours(top / "ours", seeded)
    for folder in collective.top.glob("services/*"):
        if folder.name != "router":
            shutil.rmtree(folder)
    book.add(collective)
    ledger.add(collective)  # so that far has a router before anything moves there
    file = collective.top / "collective.toml"
    text = file.read_text()
    for name in ("ada", "grace"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(collective.top / name)])
        public = (collective.top / f"{name}.pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    with Remote() as far:
        for name, uri, address, more in (
            ("home", seeded.docker_host, seeded.address, f'ca = true\nservices = ["{book.NAME}"]\n'),
            ("far", far.start_sshd(), far.address, f'services = ["{ledger.NAME}"]\n'),
        ):
            text += f'\n[hosts.{name}]\ndocker = "{uri}"\naddress = "{address}"\n{more}'
        file.write_text(text)
        collective.darkpeak("up", timeout=600)
        yield Pair(Kept(collective, collective.top / "ada"), far)


def test_what_members_write_during_a_move_is_there_afterwards(
    pair: Pair, campaign: Campaign, say: Callable[[str], None]
) -> None:
    """20 moves with --long, else two: there and back."""
    expected = set(pair.ask(pair.lives_on(), "/cgi-bin/lines")[1].split())
    for number in range(campaign(20)):
        goal = "far" if pair.lives_on() == "home" else "home"
        with members(pair, f"round{number}") as found:
            time.sleep(1)
            done = json.loads(pair.collective.darkpeak("move", book.NAME, goal, "--json", timeout=300).stdout)
            time.sleep(1)
        lost = max(found.refused) - min(found.refused) if found.refused else 0
        expected |= set(found.written)
        status, text = pair.ask(goal, "/cgi-bin/lines")
        assert status == 200
        assert sorted(text.split()) == sorted(expected)
        assert lost <= done["paused"] + PATIENCE
        assert found.statuses <= {503}
        assert pair.running() == {goal}
        assert pair.lives_on() == goal
        lines = f"{len(found.written)} lines, {len(found.refused)} refused in {lost:.1f} s"
        say(f"to {goal}: {lines}; paused {done['paused']} s")


def test_any_router_leads_to_the_host_where_a_service_lives_and_to_nobody_else(pair: Pair) -> None:
    lives = pair.lives_on()
    entry = "far" if lives == "home" else "home"
    client = {"home": "127.0.0.1", "far": f"{pair.far.address.rpartition('.')[0]}.1"}[entry]  # our end of the cable
    url = "https://book.localhost:7443/cgi-bin/headers"
    resolve = f"book.localhost:7443:{pair.address(entry)}"
    ca = pair.collective.top.parent / "ca.crt"
    ca.write_text(pair.collective.darkpeak("ca", "--host", "home").stdout)
    curl = ["curl", "--silent", "--show-error", "--max-time", "15", "--cacert", str(ca)]
    forged = ("--header", "X-Forwarded-For: 192.0.2.1", "--header", "X-Forwarded-Proto: gopher")
    for version in ("--http1.1", "--http2"):
        seen = run([*curl, version, "--resolve", resolve, *forged, url]).stdout
        assert "HTTP_X_FORWARDED_PROTO=https\n" in seen
        assert "192.0.2.1" not in seen
        assert f"HTTP_X_FORWARDED_FOR={client}\n" in seen
    name = f"{lives}.peer.localhost"
    to_peer = ["--resolve", f"{name}:7443:{pair.address(lives)}", "--header", "Host: book.localhost", *forged]
    bare = run([*curl, *to_peer, f"https://{name}:7443/cgi-bin/headers"], check=False)
    assert (bare.returncode in {55, 56}, bare.stdout) == (True, ""), bare.stderr  # TLS 1.3 refuses after the handshake


def test_a_host_with_a_ca_of_its_own_gives_it_up(pair: Pair) -> None:
    """As hosts had before a collective had one; the key is with the router at home alone."""
    inside = ("exec", "darkpeak-router-haproxy-1")
    ca = pair.collective.top.parent / "ca.crt"
    ca.write_text(pair.collective.darkpeak("ca", "--host", "home").stdout)
    listed = pair.far.docker(*inside, "ls", "/ca")
    assert "ca.key" not in listed
    pair.far.docker(*inside, "rm", "/ca/ca.crt")
    pair.far.docker("restart", "darkpeak-router-haproxy-1")
    wait_for("a CA of its own", lambda: "ca.key" in pair.far.docker(*inside, "ls", "/ca"))
    resolve = ("--resolve", f"book.localhost:7443:{pair.far.address}")
    curl = ("curl", "--silent", "--fail", "--max-time", "15", "--cacert", str(ca), *resolve)
    url = "https://book.localhost:7443/cgi-bin/lines"
    assert run([*curl, url], check=False).returncode
    said = pair.collective.darkpeak("up", timeout=300).stdout
    assert "the router on far has given up its own CA" in said
    assert "ca.key" not in pair.far.docker(*inside, "ls", "/ca")
    run([*curl, url])
    assert "has given up" not in pair.collective.darkpeak("up", timeout=300).stdout


def test_a_move_that_is_killed_goes_on_or_back_and_nothing_is_lost(
    pair: Pair, campaign: Campaign, say: Callable[[str], None]
) -> None:
    """20 times with --long, else twice: at a random moment; once it goes on, once back."""
    expected = set(pair.ask(pair.lives_on(), "/cgi-bin/lines")[1].split())
    for number in range(campaign(20)):
        before = pair.lives_on()
        goal = "far" if before == "home" else "home"
        with members(pair, f"killed{number}") as found:
            moment = random.uniform(1, 14)  # noqa: S311 (no secret)
            with pair.collective.start("move", book.NAME, goal) as process:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(moment)
                process.send_signal(signal.SIGKILL)
                process.communicate()
            middle = pair.lives_on()
            wanted = (goal, before)[number % 2]
            pair.collective.darkpeak("move", book.NAME, wanted, timeout=300)
        expected |= set(found.written)
        assert sorted(pair.ask(wanted, "/cgi-bin/lines")[1].split()) == sorted(expected)
        assert pair.running() == {wanted}
        assert pair.lives_on() == wanted
        say(f"killed after {moment:.1f} s on {middle}: {wanted} has all {len(expected)} lines")


def test_a_killed_host_is_left_with_its_newest_backup_and_gives_up_its_copy(
    pair: Pair, say: Callable[[str], None]
) -> None:
    collective = pair.collective
    if pair.lives_on() == "home":
        collective.darkpeak("move", book.NAME, "far", timeout=300)
    repository = collective.top.parent / "repository"
    file = collective.top / "collective.toml"
    server = collective.host.start_sshd().removeprefix("ssh://")
    with file.open("a") as more:
        more.write(f'\n[backup]\nrepositories = ["sftp:{server}:{repository}"]\n')
    secrets = (f"ssh-key={SSH / 'id_ed25519'}", f"known-hosts={SSH / 'known_hosts'}")
    pair.kept.darkpeak("backup init", *(word for secret in secrets for word in ("--secret", secret)))
    assert pair.ask("far", "/cgi-bin/write?saved")[0] == 200
    pair.kept.darkpeak("backup", book.NAME)
    saved = set(pair.ask("far", "/cgi-bin/lines")[1].split())
    refused = collective.darkpeak("move", book.NAME, "home", "--from-backup", *pair.kept.identity, check=False)
    assert refused.returncode == 2
    pair.far.kill_engine()
    began = time.monotonic()
    done = pair.kept.darkpeak("move", book.NAME, "home", "--from-backup")
    took = time.monotonic() - began
    assert "old: what was written since then is lost" in done.stderr
    assert "far does not answer" in done.stdout
    assert set(pair.ask("home", "/cgi-bin/lines")[1].split()) == saved
    pair.far.start_engine()
    collective.darkpeak("move", book.NAME, "home", timeout=300)
    assert pair.running() == {"home"}
    collective.darkpeak("up", timeout=300)  # an engine that is killed has stopped its router
    assert set(pair.ask("far", "/cgi-bin/lines")[1].split()) == saved  # its router leads home
    collective.darkpeak("move", book.NAME, "--finish", "--yes")
    left = pair.far.docker("volume", "ls", "--quiet", "--filter", "label=com.docker.compose.project=darkpeak-book")
    assert not left
    say(f"from a killed host: back after {took:.0f} s")
