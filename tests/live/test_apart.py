"""Three hosts: the directory on one, the wiki and the chat on two others, and members whose names lead to the first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab.collectives import Collective, copy_of_ours
from lab.commands import run
from lab.remote import Remote
from tests.live.browser import Browser
from tests.live.facts import directory, wiki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hosts import Host

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
