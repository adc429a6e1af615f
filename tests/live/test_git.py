"""Git, used as members use it: by ssh with their own keys, in the browser, and backed up while they push."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lab.commands import run
from tests.live.facts import git
from tests.live.facts.git import SERVER, Member, members, page

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective

RULES = """
repo bylaws
    RW  = @all
repo newsletter
    R   = @all
    option browser = yes
"""


@pytest.fixture(scope="module")
def served(collective: Collective) -> Collective:
    """Return the collective with a running git that has content."""
    collective.compose("git", "up", "-d", "--build", "--wait", timeout=600)
    git.write(collective)
    return collective


def pushed(member: Member, folder: Path, text: str) -> str:
    """Commit and push; return the commit."""
    member.git("commit", "-q", "--allow-empty", "-m", text, cwd=folder)
    member.git("push", "-q", "origin", "HEAD", cwd=folder)
    return member.git("rev-parse", "HEAD", cwd=folder).stdout.strip()


def test_unknown_keys_get_nothing_and_members_only_what_the_rules_allow(served: Collective) -> None:
    ada, grace = members(served)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(ada.keys / "mallory")])
    unknown = Member("mallory", ada.keys).git("ls-remote", f"{SERVER}/testing", check=False)
    assert "Permission denied (publickey)" in unknown.stderr
    assert "DENIED" in grace.git("ls-remote", f"{SERVER}/gitolite-admin", check=False).stderr


def test_ssh_allows_only_git(served: Collective) -> None:
    ada = members(served)[0]
    for refused in (["-N", "-o", "ExitOnForwardFailure=yes", "-R", "7777:localhost:22"], ["-tt"]):
        asked = [*ada.ssh.split(), "-p", "6042", *refused, "git@localhost", "sh"]
        answer = run(asked, check=False, timeout=20)
        assert answer.returncode, answer.stdout


def test_the_web_page_shows_only_what_the_rules_open_to_it(served: Collective, tmp_path: Path) -> None:
    ada, _ = members(served)
    folder = tmp_path / "admin"
    ada.git("clone", "-q", f"{SERVER}/gitolite-admin", str(folder))
    with (folder / "conf" / "gitolite.conf").open("a") as rules:
        rules.write(RULES)
    ada.git("add", "conf", cwd=folder)
    pushed(ada, folder, "Make the bylaws")
    assert "newsletter" in page("/")
    assert "bylaws" not in page("/")
    for hidden in ("/bylaws/", "/gitolite-admin/"):
        assert page(hidden).startswith("HTTP/1.1 404 ")


def test_no_browser_runs_pushed_files(served: Collective, tmp_path: Path) -> None:
    ada, _ = members(served)
    folder = tmp_path / "readme"
    ada.git("clone", "-q", f"{SERVER}/testing", str(folder))
    (folder / "README.md").write_text("<script>alert(1)</script>\n")
    ada.git("add", "README.md", cwd=folder)
    pushed(ada, folder, "<script>alert(2)</script>")
    for path in ("/testing/about/", "/testing/log/", "/testing/tree/README.md"):
        assert "alert(" in page(path)
        assert "<script>alert" not in page(path)


def test_backups_during_pushes_have_every_finished_push(served: Collective, tmp_path: Path) -> None:
    ada, _ = members(served)
    folder = tmp_path / "busy"
    ada.git("clone", "-q", f"{SERVER}/testing", str(folder))
    done = [pushed(ada, folder, "start")]
    backups = {}
    stop = threading.Event()

    def push() -> None:
        while not stop.is_set():
            done.append(pushed(ada, folder, f"push {len(done)}"))

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        for number in range(4):
            before = done[-1]
            served.script("git", "backup", str(tmp_path / str(number)))
            backups[tmp_path / str(number)] = before
    finally:
        stop.set()
        pushing.join()
    for backup, before in backups.items():
        served.script("git", "restore", str(backup))
        restored = ada.git("ls-remote", f"{SERVER}/testing", "HEAD").stdout.split()[0]
        assert done.index(before) <= done.index(restored)
