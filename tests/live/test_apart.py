"""Three hosts: the directory on one, the wiki and the chat on two others, and members whose names lead to the first."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab.collectives import Collective, copy_of_ours
from lab.commands import run, wait_for
from lab.remote import Remote
from tests.live.browser import Browser
from tests.live.facts import directory, wiki
from tests.live.test_chat import UPGRADE
from tests.live.xmpp import Door, logs_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.hosts import Host

CUT_SECONDS = 30.0
STAND_IN = "darkpeak-stand-in-directory-directory"
SERVICES = ("router", "directory", "wiki", "chat")


@dataclass(frozen=True)
class Apart:
    """A collective whose directory is at home, the test's own host, its wiki on `north`, and its chat on `south`."""

    collective: Collective
    north: Remote
    south: Remote

    def logs_in(self, uid: str = "ada") -> bool:
        """Return whether a member can log in to the wiki, by a name that leads to home."""
        return Browser("http://wiki.localhost:7080").logs_in(uid, directory.MEMBERS[uid])

    def state(self) -> str:
        """Return the state of the wiki, as `status` says it."""
        rows = json.loads(self.collective.darkpeak("status", "--json", check=False).stdout)
        return str(next(row["state"] for row in rows if row["service"] == "wiki"))

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Let no packet pass between the routers of home and of north."""
        home = self.collective.host.address
        rules = (("INPUT", "-s", home, "-p", "tcp", "--sport"), ("OUTPUT", "-d", home, "-p", "tcp", "--dport"))
        for rule in rules:
            self.north.run(["iptables", "-A", *rule, "7443", "-j", "DROP"])
        try:
            yield
        finally:
            for rule in rules:
                self.north.run(["iptables", "-D", *rule, "7443", "-j", "DROP"])


@pytest.fixture(scope="module")
def apart(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Yield the collective after its first `up`."""
    seeded.forget()
    collective = copy_of_ours(tmp_path_factory.mktemp("apart") / "ours", seeded)
    for folder in collective.top.glob("services/*"):
        if folder.name not in SERVICES:
            shutil.rmtree(folder)
    file = collective.top / "collective.toml"
    text = file.read_text()
    with Remote() as north, Remote() as south:
        for name, uri, address, more in (
            ("home", seeded.docker_host, seeded.address, 'ca = true\nservices = ["directory"]\n'),
            ("north", north.start_sshd(), north.address, 'services = ["wiki"]\n'),
            ("south", south.start_sshd(), south.address, 'services = ["chat"]\n'),
        ):
            text += f'\n[hosts.{name}]\ndocker = "{uri}"\naddress = "{address}"\n{more}'
        file.write_text(text)
        collective.darkpeak("up", timeout=900)
        for uid, password in directory.MEMBERS.items():
            directory.add_member(collective, uid, password)
        yield Apart(collective, north, south)


def test_members_use_services_of_other_hosts_with_the_passwords_of_the_first(apart: Apart) -> None:
    ada = Browser("http://wiki.localhost:7080")
    assert not ada.logs_in("ada", "not hers")
    assert ada.logs_in("ada", directory.MEMBERS["ada"])
    ada.save(wiki.PAGE, wiki.TEXTS[1])
    ada.upload(wiki.FILE, wiki.UPLOADED)
    anyone = Browser("http://wiki.localhost:7080")
    assert (anyone.page(wiki.PAGE), anyone.media(wiki.FILE)) == (wiki.TEXTS[1], wiki.UPLOADED)
    assert not run(["docker", "ps", "--quiet", "--filter", "name=darkpeak-wiki"]).stdout
    assert apart.north.docker("ps", "--quiet", "--filter", "name=darkpeak-wiki")


def test_a_websocket_of_the_chat_leads_through_two_routers(apart: Apart) -> None:  # noqa: ARG001 (it runs)
    headers = [word for key, value in UPGRADE.items() for word in ("--header", f"{key}: {value}")]
    curl = ["curl", "--silent", "--include", "--max-time", "5", "--http1.1", *headers]
    answer = run([*curl, "http://chat.localhost:7080/xmpp-websocket"], check=False).stdout
    assert answer.startswith("HTTP/1.1 101 ")
    assert "sec-websocket-protocol: xmpp" in answer


def test_a_member_logs_in_to_the_chat_at_a_port_of_another_host_and_the_chat_sees_the_address(apart: Apart) -> None:
    door = Door(apart.collective.darkpeak("ca", "--host", "home").stdout, 5222)
    assert logs_in(door, "ada", directory.MEMBERS["ada"])
    assert not logs_in(door, "ada", "not hers")
    apart.north.reach(["curl", "--max-time", "5", f"telnet://{apart.collective.host.address}:5222"], stdin="<x/>")
    chat = ("logs", "--tail", "20", "darkpeak-chat-prosody-1")
    wait_for(
        "the chat's log", lambda: f"src={apart.north.address}:" in "\n".join(apart.south.docker(*chat)), timeout=10
    )


def test_nobody_without_a_peers_certificate_gets_the_directory_and_a_peer_only_what_is_offered(apart: Apart) -> None:
    inside = ("exec", "darkpeak-router-haproxy-1")
    home = f"{apart.collective.host.address}:7443"
    asked = ("openssl", "s_client", "-quiet", "-connect", home, "-servername", "6021x0-0-0-0.home.peer.localhost")
    for own in ((), ("-cert", "/var/lib/certificates/site.pem")):  # none, and one that is not for peers
        said = run(["docker", "--host", apart.north.docker_host, *inside, *asked, *own], check=False)
        assert (said.returncode, said.stdout) == (1, ""), said.stderr
        assert "alert" in said.stderr
    streams = [f"{apart.collective.host.address}={port}x0-0-0-0.home.peer.localhost" for port in (6020, 6021, 6022)]
    assert sorted(apart.north.docker(*inside, "reach", *streams)) == streams[:2]


def test_after_a_cut_and_a_restart_meanwhile_logins_go_on_by_themselves(
    apart: Apart, say: Callable[[str], None]
) -> None:
    """The wiki's host does not reach the directory's for 30 seconds, and its engine restarts in them."""
    assert apart.logs_in()
    began = time.monotonic()
    with apart.cut():
        apart.north.stop_engine()
        apart.north.start_engine()
        wait_for("the wiki to be healthy", lambda: apart.state() == "cut off from directory on home", timeout=60)
        assert not apart.logs_in()
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))
    mended = time.monotonic()
    wait_for("a login", apart.logs_in, timeout=30)
    say(f"a member logs in {time.monotonic() - mended:.1f} s after the cut")
    wait_for("the wiki to be healthy", lambda: apart.state() == "healthy", timeout=30)


def test_a_stand_in_that_is_gone_is_made_again_and_one_that_nobody_needs_is_removed(apart: Apart) -> None:
    """The wiki moves to the directory's host and back; meanwhile its own host has nothing that stands for another."""
    apart.north.docker("rm", "--force", STAND_IN)
    planned = apart.collective.darkpeak("plan", check=False).stdout
    assert "a stand-in for directory (on home) will be made: there is none yet" in planned
    apart.collective.darkpeak("up", timeout=300)
    assert apart.logs_in()
    apart.collective.darkpeak("move", "wiki", "home", timeout=300)
    assert STAND_IN not in apart.north.docker("ps", "--all", "--format", "{{.Names}}")
    assert apart.logs_in()
    apart.collective.darkpeak("move", "wiki", "north", timeout=300)
    assert apart.logs_in()
    apart.collective.darkpeak("move", "wiki", "--finish", "--yes")
    assert not apart.north.docker("ps", "--quiet", "--filter", "label=com.docker.compose.project=darkpeak-directory")
