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
    from lab.commands import Result

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


def add_key(collective: Collective, name: str, key: str) -> Result:
    """Run add-key for a member, with a key on its standard input."""
    return collective.execute("git", "gitolite", "add-key", name, stdin=key, check=False)


def test_a_key_belongs_to_one_member(served: Collective, tmp_path: Path) -> None:
    for kind, bits in (("ed25519", "256"), ("rsa", "1024")):
        run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-C", "mallory", "-f", str(tmp_path / kind)])
    graces = (members(served)[1].keys / "grace.pub").read_text()
    new, short = (tmp_path / "ed25519.pub").read_text(), (tmp_path / "rsa.pub").read_text()
    kind, body, _ = new.split()
    before = served.script("git", "verify").stdout
    refused = {
        graces: "grace has this key already; a key belongs to one member",
        graces.replace("grace\n", "another comment\n"): "grace has this key already",
        f'command="sh" {new}': "the line must begin with the kind of the key",
        f"restrict {new}": "the line must begin with the kind of the key",
        f"# {new}": "the line must begin with the kind of the key",
        f"{kind}-cert-v01@openssh.com {body}\n": "the line must begin with the kind of the key",
        f"{new}{graces}": "give one public key, on one line",
        f"# mine\n{new}": "give one public key, on one line",
        "": "give one public key, on one line",
        f"ssh-dss {body}\n": "DSA keys are too weak",
        f"ssh-rsa {body}\n": "stdin is not a public key",
        f"{kind} {body[:-8]}\n": "stdin is not a public key",
        short: "RSA keys need 2048 bits or more",
    }
    for key, why in refused.items():
        said = add_key(served, "mallory", key)
        assert said.returncode == 1, key
        assert said.stderr.startswith(f"add-key: {why}"), key
    for name in ("admins", "daemon", "@all", "all", "ada.", "root"):
        assert add_key(served, name, new).returncode == 2, name
    assert add_key(served, "grace", graces).stderr == "add-key: grace has this key already\n"
    assert served.script("git", "verify").stdout == before


def test_a_member_who_is_removed_has_no_key(served: Collective) -> None:
    ada, grace = members(served)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(ada.keys / "carol")])
    key = (ada.keys / "carol.pub").read_text().strip()
    assert add_key(served, "carol", f"{key}\r\n").returncode == 0
    carol = Member("carol", ada.keys)
    master = str(ada.keys / "master")
    ssh = [*carol.ssh.split(), "-p", "6042", "-o", f"ControlPath={master}", "git@localhost", "info"]
    run([*ssh[:1], "-o", "ControlMaster=yes", "-o", "ControlPersist=300", *ssh[1:]])
    assert "hello carol" in run(ssh).stdout
    assert (
        served.script("git", "member-gone", "carol", "passwd").stdout
        == "ssh keys stay: they do not depend on the password\n"
    )
    assert "hello carol" in run(ssh).stdout
    assert "keys removed: 1" in served.script("git", "member-gone", "carol").stdout.splitlines()
    assert "Permission denied" in run(ssh, check=False).stderr
    assert served.script("git", "member-gone", "carol").stdout == "keys removed: 0\n"
    assert grace.git("ls-remote", f"{SERVER}/testing").stdout
    served.script("git", "verify")


def test_two_members_with_one_key_are_found(served: Collective, tmp_path: Path) -> None:
    ada, _ = members(served)
    folder = tmp_path / "admin"
    ada.git("clone", "-q", f"{SERVER}/gitolite-admin", str(folder))
    (folder / "keydir" / "aaron.pub").write_text((ada.keys / "grace.pub").read_text())
    ada.git("add", "keydir", cwd=folder)
    pushed(ada, folder, "Give grace's key to aaron")
    assert "two members have one key" in served.script("git", "verify", check=False).stderr
    assert "keys removed: 1" in served.script("git", "member-gone", "aaron").stdout.splitlines()
    served.script("git", "verify")


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
