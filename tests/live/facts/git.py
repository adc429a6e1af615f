"""Git: pushed commits, the members' keys, the server's own key, and the web page."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.commands import Options, Result, run
from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Unpack

    from lab.collectives import Collective

SERVER = "ssh://git@localhost:6042"
PAGES = "http://127.0.0.1:6040"
TEXT = "Note G: a table of Bernoulli numbers ✿\n"
MARK = "Begin the notes"
MEMBERS = ("ada", "grace")  # the first is gitolite's admin


@dataclass(frozen=True)
class Member:
    """A member with their own ssh key, who knows the server's key."""

    name: str
    keys: Path

    @property
    def ssh(self) -> str:
        """The ssh command that uses only this key, and connects only to the known server."""
        known = f"-o UserKnownHostsFile={self.keys / 'known'} -o StrictHostKeyChecking=yes"
        return f"ssh -F none -i {self.keys / self.name} -o IdentitiesOnly=yes {known}"

    def git(self, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run git as this member."""
        who = {
            f"GIT_{role}_{what}": f"{self.name}@localhost"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.keys), "GIT_SSH_COMMAND": self.ssh, **who}
        settled: Options = {"env": environment}
        return run(["git", *arguments], **(settled | options))


def write(collective: Collective) -> str:
    ada = members(collective)[0]
    folder = ada.keys / "work"
    run(["rm", "-rf", str(folder)])
    ada.git("clone", "-q", f"{SERVER}/testing", str(folder))
    (folder / "notes.md").write_text(TEXT)
    ada.git("add", "notes.md", cwd=folder)
    ada.git("commit", "-qm", MARK, cwd=folder)
    ada.git("push", "-q", "origin", "HEAD:main", cwd=folder)
    return ada.git("rev-parse", "HEAD", cwd=folder).stdout


def check(collective: Collective, written: str) -> None:
    keys = collective.top / "keys"
    for name in MEMBERS:
        copy = keys / f"copy of {name}"
        run(["rm", "-rf", str(copy)])
        Member(name, keys).git("clone", "-q", f"{SERVER}/testing", str(copy))
        assert Member(name, keys).git("rev-parse", "HEAD", cwd=copy).stdout == written
        assert (copy / "notes.md").read_text() == TEXT
    assert not Member("grace", keys).git("ls-remote", f"{SERVER}/gitolite-admin", check=False).stdout
    assert Member("ada", keys).git("ls-remote", f"{SERVER}/gitolite-admin").stdout
    assert MARK in page("/testing/log/")


def members(collective: Collective) -> tuple[Member, ...]:
    """Return members whose keys the server knows, and who know the server's key."""
    keys = collective.top / "keys"
    keys.mkdir(exist_ok=True)
    for name in MEMBERS:
        if not (keys / name).exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(keys / name)])
        collective.execute("git", "gitolite", "add-key", name, stdin=(keys / f"{name}.pub").read_text(), check=False)
    known = collective.execute("git", "gitolite", "cat", "/etc/ssh/keys/ssh_host_ed25519_key.pub").stdout
    (keys / "known").write_text(f"[localhost]:6042 {known}")
    return tuple(Member(name, keys) for name in MEMBERS)


def page(path: str) -> str:
    """Return what a browser gets: headers and body."""
    return run(["curl", "-si", "--max-time", "10", PAGES + path]).stdout


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Push a member's commits to their own branch, all the time."""
    ada = members(collective)[0]
    folder = ada.keys / "busy"
    run(["rm", "-rf", str(folder)])
    ada.git("clone", "-q", f"{SERVER}/testing", str(folder))

    def push(number: int) -> str:
        (folder / "diary").write_text(f"Day {number}.\n")
        ada.git("add", "diary", cwd=folder)
        ada.git("commit", "-qm", f"Day {number}", cwd=folder)
        ada.git("push", "-q", "origin", "+HEAD:refs/heads/diary", cwd=folder)
        return ada.git("rev-parse", "HEAD", cwd=folder).stdout.strip()

    with under(push) as load:
        yield load


def found(collective: Collective) -> set[str]:
    """Return the commits in a member's clone."""
    keys = collective.top / "keys"
    run(["rm", "-rf", str(keys / "found")])
    ada = Member("ada", keys)
    ada.git("clone", "-q", f"{SERVER}/testing", str(keys / "found"))
    return set(ada.git("rev-list", "origin/diary", cwd=keys / "found").stdout.split())
