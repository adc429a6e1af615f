"""Each shape, made with `darkpeak new` and not edited: it starts, members log in, it is saved, drilled and restored."""

from __future__ import annotations

import json
import shutil
import socket
import unicodedata
from typing import TYPE_CHECKING

import pytest

from lab.commands import run, wait_for
from tests.live.shapes import shapes

if TYPE_CHECKING:
    from pathlib import Path

    from lab.kept import Kept

PASSWORD = "the péas are sown"  # noqa: S105
AS_TWO = unicodedata.normalize("NFD", PASSWORD)  # as some keyboards write it
MADE = shapes("gate-debian")  # the one with the most parts


@pytest.fixture(scope="module")
def members(kept: Kept) -> Kept:
    """Return a collective with the router, the directory, a repository, and a member."""
    kept.collective.darkpeak("up", "router", "directory", timeout=600)
    kept.collective.darkpeak("member", "add", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
    return kept


def ask(name: str, *options: str, user: str = f"ada:{PASSWORD}") -> tuple[int, str]:
    """Request a service's page through the router; return the status and the page."""
    login = ("--user", user) if user else ()
    argv = ("curl", "-s", "-w", "\n%{http_code}", *login, *options, f"http://{name}.localhost:7080/")
    page, _, status = run(argv).stdout.rpartition("\n")
    return int(status), page


def talk(port: int, *lines: str) -> str:
    """Send lines to a public port; return the last answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile("rw") as file:
        said = file.readline()
        for line in lines:
            file.write(f"{line}\n")
            file.flush()
            said = file.readline()
        return said


class Web:
    """What members do with a shape that is a website with notes."""

    def __init__(self, kept: Kept, name: str, block: int) -> None:
        """Use a service with this name and block."""
        self.kept, self.name, self.block = kept, name, block

    def refuses_others(self) -> bool:
        """Return whether nobody but a member gets in, whatever the request says."""
        forged = ("X-Remote-User", "X_Remote_User", "X-Remote_User", "x_remote-user", "X-REMOTE-USER")
        headers = [item for name in forged for item in ("-H", f"{name}: grace")]
        wrong = [ask(self.name, *headers, user=user)[0] for user in ("", "ada:wrong", "*:wrong", "ada:", "nobody:x")]
        status, page = ask(self.name, *headers, user=f" ADA:{AS_TWO}".strip())
        return wrong == [401] * 5 and status == 200 and "logged in as ada." in page and "grace" not in page

    def write(self, text: str) -> None:
        """Write something that is to be saved."""
        assert ask(self.name, "--data-urlencode", f"text={text}")[0] == 303

    def has(self, text: str) -> bool:
        """Return whether the service shows what was written."""
        return text in ask(self.name)[1]


class Static(Web):
    """A website whose admins copy files into it."""

    def refuses_others(self) -> bool:
        """Anybody may read; nothing can be uploaded."""
        return ask(self.name, user="")[0] == 200 and ask(self.name, "-X", "PUT", "-d", "x", user="")[0] >= 400

    def write(self, text: str) -> None:
        """Copy a page into it."""
        page = self.kept.collective.top / "index.html"
        page.write_text(text)
        self.kept.collective.compose(self.name, "cp", str(page), "app:/var/lib/app/files/index.html")


class Tcp(Web):
    """A service on a public port, without logins."""

    def refuses_others(self) -> bool:
        """Anybody may use it."""
        return "Write me" in talk(10_000 + self.block)

    def write(self, text: str) -> None:
        """Send a line."""
        talk(10_000 + self.block, text)

    def has(self, text: str) -> bool:
        """Return whether the line is kept."""
        return (
            text in self.kept.collective.execute(self.name, "app", "sh", "-c", "cat /var/lib/app/current/*.note").stdout
        )


def takes_data_and_leaves(service: Web, folder: Path) -> None:
    """Export what a member wrote, and forget the member, with the service's own scripts."""
    collective = service.kept.collective
    if not (collective.folder(service.name) / "scripts/forget-member").exists():
        return  # it does not know members
    for who, count in (("ada", 2), ("nobody", 0)):
        assert collective.script(service.name, "export-member", who, str(folder / who)).stdout == f"notes: {count}\n"
        written = [path.read_text() for path in (folder / who).rglob("*") if path.is_file()]
        assert ("first" in "".join(written)) == (who == "ada")
        assert collective.script(service.name, "forget-member", who).stdout == f"notes removed: {count}\n"
        assert not service.has("second")
    collective.script(service.name, "verify")


@pytest.mark.parametrize(("shape", "source"), MADE)
def test_a_shape_works_without_an_edit(members: Kept, tmp_path: Path, shape: str, source: str) -> None:
    collective, name = members.collective, f"my-{shape}-{source}"
    made = json.loads(collective.darkpeak("new", name, "--like", shape, "--from", source, "--json").stdout)
    try:
        if source != "debian":
            collective.fetch_packages(name)
        assert collective.darkpeak("lint", name, check=False).stdout == ""
        collective.darkpeak("up", name, timeout=900)
        service = {"static": Static, "tcp": Tcp}.get(shape, Web)(members, name, made["block"])
        assert service.refuses_others()
        assert collective.darkpeak("plan", name).stdout.startswith("nothing to do")
        members.darkpeak("backup", name)  # a new service can be saved before anything was written
        service.write("first ✿ <b>")
        before = collective.script(name, "verify").stdout
        members.darkpeak("backup", name)
        assert "passed" in members.darkpeak("drill", name).stdout
        collective.script(name, "backup", str(tmp_path / "by-hand"))
        service.write("second")
        assert collective.script(name, "verify").stdout != before or shape == "static"
        takes_data_and_leaves(service, tmp_path)
        members.darkpeak("restore", name)
        wait_for("the restored service", lambda: collective.script(name, "verify").stdout == before, timeout=30)
        assert not service.has("second")
        service.write("third")
        collective.script(name, "restore", str(tmp_path / "by-hand"))
        assert collective.script(name, "verify").stdout == before
        assert not service.has("third")
        assert collective.script(name, "updates", timeout=300).stderr == ""
    finally:
        collective.darkpeak("down", name, "--volumes", "--yes", check=False)
        shutil.rmtree(collective.folder(name))
