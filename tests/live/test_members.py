"""Members and groups, as an admin manages them with the tool."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest

from lab.commands import run, wait_for
from tests.live.facts import chat, git, router, wiki
from tests.live.facts.directory import MEMBERS, logs_in
from tests.live.facts.git import SERVER, Member
from tests.live.xmpp import Door, login, session
from tests.live.xmpp import logs_in as xmpp_login

if TYPE_CHECKING:
    from lab.collectives import Collective

PASSWORDS = {**MEMBERS, "bob": "bob builds it"}
GROUP = "admins-wiki"
BRIEF = "only for a while"
WIDE = "\uff47\uff52\uff41\uff43\uff45"  # grace, in full-width letters
MINUTE = 60.0  # seconds
# Names that a filter without quoting, or a comparison without case and width, would take for grace.
NOBODY = ("*", "grac*", "*)(uid=grace", "grace)(objectClass=*", "\\67race", WIDE, "gr\u0430ce", "g" * 10_000)
REPOSITORY = "/var/lib/git/repositories/testing.git"


@pytest.fixture(scope="module")
def village(collective: Collective) -> Collective:
    """Return a collective with all services and three members: ada and grace run all services, bob none."""
    collective.darkpeak("up", timeout=900)
    for uid, password in PASSWORDS.items():
        known = ("--name", full_name(uid), "--mail", f"{uid}@example.org")
        collective.darkpeak("member", "add", uid, *known, "--password-stdin", stdin=f"{password}\n")
    return collective


def full_name(uid: str) -> str:
    """Return the full name of a member."""
    return f"{uid.title()} Løvelace"


def shown(village: Collective, *command: str) -> list[dict[str, str]]:
    """Return what a command prints as JSON."""
    rows: list[dict[str, str]] = json.loads(village.darkpeak(*command, "--json").stdout)
    return rows


def test_the_groups_of_admins_follow_the_compose_files(village: Collective) -> None:
    planned = village.darkpeak("plan", check=False)
    assert planned.returncode == 1
    assert f"follows the admins in the compose files: group {GROUP} (new): add ada, grace" in planned.stdout
    assert f"group {GROUP} (new): add ada, grace" in village.darkpeak("up").stdout
    assert village.darkpeak("plan").stdout.startswith("nothing to do")
    refused = village.darkpeak("group", "join", GROUP, "bob", check=False)
    assert refused.returncode == 2
    assert "follows the compose file of wiki" in refused.stderr
    village.darkpeak("member", "remove", "grace")
    assert {"name": GROUP, "members": ["ada"]} in shown(village, "group", "list")
    village.darkpeak("member", "add", "grace", "--password-stdin", stdin=f"{PASSWORDS['grace']}\n")
    assert f"group {GROUP}: add grace" in village.darkpeak("up").stdout


@pytest.mark.parametrize("service", ["chat", "wiki"])
def test_our_own_services_ask_the_directory_rightly(village: Collective, service: str) -> None:
    checks = shown(village, "directory", "check", service)
    assert {check["check"] for check in checks} >= {"network", "name", "tls", "search", "stranger", "password"}
    assert [check for check in checks if check["verdict"] != "ok"] == []


def test_many_members_are_imported_after_a_look(village: Collective, tmp_path: Path) -> None:
    table = tmp_path / "members.csv"
    carol = member(village, "carol")
    key = (carol.keys / "carol.pub").read_text().strip()
    table.write_text(
        "uid;name;mail;groups;ssh_keys\n"
        f"bob;Bob Builder;;;\ncarol;Carol Æøå;carol@example.org;cooks poets {GROUP};{key}\n"
    )
    would = village.darkpeak("member", "import", str(table), "--dry-run").stdout
    assert would.splitlines() == [
        "bob: change to Bob Builder, no mail address",
        "carol: add, Carol Æøå, carol@example.org",
        "carol: add to group cooks",
        "carol: add to group poets",
        f"carol: add ssh key {key}",
        f"carol: not added to group {GROUP}, which follows the compose file of wiki",
    ]
    refused = village.darkpeak("member", "import", str(table), check=False)
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)
    assert "carol" not in village.darkpeak("member", "list").stdout
    assert "git: key added" in village.darkpeak("member", "import", str(table), "--yes").stdout
    assert reaches(carol)
    assert village.darkpeak("member", "import", str(table), "--dry-run").stdout.splitlines() == would.splitlines()[-1:]
    for form in ("csv", "ldif"):
        file = tmp_path / f"all.{form}"
        file.write_text(village.darkpeak("member", "list", "--format", form).stdout)
        assert "nothing to do" in village.darkpeak("member", "import", str(file), "--dry-run").stdout
        assert "ARGON2" not in file.read_text()
    second = tmp_path / "second.csv"
    second.write_text("uid,mail\ndan,carol@example.org\n")
    refused = village.darkpeak("member", "import", str(second), "--yes", check=False)
    assert "carol has the mail address carol@example.org\n  at second.csv:2" in refused.stderr
    assert "dan" not in village.darkpeak("member", "list").stdout
    for group in ("cooks", "poets"):
        village.darkpeak("group", "remove", group)
    assert "cooks" not in village.darkpeak("member", "show", "carol").stdout


def test_a_locked_member_has_no_access_until_unlocked(village: Collective) -> None:
    bob = member(village, "bob")
    added = village.darkpeak("member", "ssh-key", "add", "bob", str(bob.keys / "bob.pub")).stdout
    assert "git: key added" in added
    assert "git: bob has this key already" in village.darkpeak(
        "member", "ssh-key", "add", "bob", stdin=(bob.keys / "bob.pub").read_text()
    ).stdout  # fmt: skip
    assert reaches(bob)
    village.darkpeak("member", "lock", "bob")
    assert "locked:     yes" in village.darkpeak("member", "show", "bob").stdout
    assert not logs_in(village, "bob", PASSWORDS["bob"])
    assert not reaches(bob)
    village.darkpeak("member", "unlock", "bob")
    assert logs_in(village, "bob", PASSWORDS["bob"])
    assert reaches(bob)


def test_a_renamed_member_keeps_password_groups_and_keys(village: Collective) -> None:
    bob = member(village, "bob")
    village.darkpeak("member", "ssh-key", "add", "bob", str(bob.keys / "bob.pub"))
    village.darkpeak("group", "join", "cooks", "bob")
    told = village.darkpeak("member", "rename", "bob", "robert")
    assert "services keep what they stored under the name bob" in told.stderr
    assert "darkpeak member forget bob --dry-run" in told.stderr
    assert logs_in(village, "robert", PASSWORDS["bob"])
    assert not logs_in(village, "bob", PASSWORDS["bob"])
    assert "hello robert" in greeting(bob)
    in_group = {"name": "cooks", "members": ["robert"]}
    wait_for("the group to have the new name", lambda: in_group in shown(village, "group", "list"))
    [key] = shown(village, "member", "ssh-key", "list", "robert")
    village.darkpeak("member", "ssh-key", "remove", "robert", key["fingerprint"])
    assert not reaches(bob)
    assert shown(village, "member", "ssh-key", "list", "robert") == []


def test_the_log_says_who_did_it(village: Collective) -> None:
    who = f"root@{run(['hostname']).stdout.strip()}"
    changes = [(row["who"], row["what"]) for row in shown(village, "member", "log", "ada")]
    assert (who, "added") in changes
    assert not any("pwd" in what for _, what in changes)


def test_a_member_takes_their_data_with_them(village: Collective, tmp_path: Path) -> None:
    for facts in (wiki, chat, git):
        facts.write(village)
    folder, exporting = tmp_path / "ada", ("member", "export", "ada")
    village.darkpeak(*exporting, str(folder), timeout=300)
    pages = {path.read_text().strip() for path in (folder / "wiki/pages/garden").iterdir()}
    assert pages == set(wiki.TEXTS)
    assert [path.read_bytes() for path in (folder / "wiki/media").rglob("plan.*")] == [wiki.UPLOADED]
    messages = (folder / "chat/messages.jsonl").read_text()
    assert chat.WHISPERED in messages
    assert chat.SAID in messages
    run(["git", "clone", "-q", "-b", "main", str(folder / "git/repositories/testing.bundle"), str(tmp_path / "clone")])
    assert (tmp_path / "clone/notes.md").read_text() == git.TEXT
    entry = (folder / "directory/member.ldif").read_text()
    assert "mail: ada@example.org" in entry
    assert "userPassword" not in entry
    links = re.findall(r'href="([^"]*)"', (folder / "index.html").read_text())
    assert {path.parts[0] for path in map(Path, links)} == {"chat", "directory", "git", "wiki"}
    assert [link for link in links if not (folder / unquote(link)).is_file()] == []
    # A run that was interrupted goes on: what is complete is not written again.
    shutil.rmtree(folder / "git")
    (folder / "wiki/mark").touch()
    village.darkpeak(*exporting, str(folder), timeout=300)
    assert (folder / "git/repositories/testing.bundle").is_file()
    assert (folder / "wiki/mark").is_file()


def test_a_forgotten_member_is_found_nowhere_that_the_report_does_not_name(village: Collective) -> None:
    for facts in (wiki, chat):
        facts.write(village)
    forget, texts = ("member", "forget", "ada"), {"ada", full_name("ada"), "ada@example.org"}
    before = json.loads(village.darkpeak(*forget, "--dry-run", "--json").stdout)
    assert set(before["texts"]) == texts
    assert {"current/data.mdb", "log/data.mdb", "current/data/meta/garden/spring.meta"} <= places(before)
    refused = village.darkpeak(*forget, check=False)
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)
    # A service that is down does it later; until then, the member stays in the directory, and is locked.
    village.compose("git", "stop")
    failed = village.darkpeak(*forget, "--yes", check=False, timeout=300)
    assert failed.returncode == 3
    assert "not forgotten by git (it is stopped)" in failed.stderr
    assert "locked:     yes" in village.darkpeak("member", "show", "ada").stdout
    village.compose("git", "start")
    village.compose("git", "up", "-d", "--wait", "--no-recreate")
    done = json.loads(village.darkpeak(*forget, "--yes", "--json", timeout=300).stdout)
    assert all(not item["failed"] for item in done["services"])
    # "ada" is found by chance: as a language in a page of DokuWiki and in a table of PostgreSQL. And in commits.
    kept = {"current/data/pages/wiki/syntax.txt", "repositories/testing.git", "repositories/gitolite-admin.git"}
    # And the pages of home name her as an admin, since collective.toml does.
    assert {place for place in places(done) if not place.startswith(("data/base/", "pages."))} <= kept
    assert {text for item in done["found"] for text in item["texts"]} == {"ada"}
    assert grep(*texts) <= {(item["where"], item["place"]) for item in done["found"]}
    # What others need is still there.
    assert wiki.at(village).page(wiki.PAGE) == wiki.TEXTS[-1]
    whispered, said = asyncio.run(chat.listen(Door(router.authority(village), chat.PORT)))
    assert ("former-member", chat.WHISPERED) in whispered
    assert ("former-member", chat.SAID) in said
    log = ("as-git", "git", "-C", REPOSITORY, "log", "--format=%an", "main")
    authors = village.execute("git", "gitolite", *log).stdout
    assert "ada@localhost" in authors
    assert "ada" not in {row["uid"] for row in shown(village, "member", "list")}


@pytest.mark.parametrize("how", ["lock", "rename", "remove"])
def test_a_member_who_is_logged_in_everywhere_is_out_within_a_minute(village: Collective, how: str) -> None:
    village.darkpeak("member", "add", f"dan-{how}", "--password-stdin", stdin=f"{BRIEF}\n")
    dan = member(village, f"dan-{how}")
    village.darkpeak("member", "ssh-key", "add", dan.name, str(dan.keys / f"{dan.name}.pub"))
    browser = wiki.at(village)
    assert browser.logs_in(dan.name, BRIEF)
    ssh = [*dan.ssh.split(), "-p", "6042", "-o", f"ControlPath={dan.keys / how}", "git@localhost", "info"]
    run([*ssh[:1], "-o", "ControlMaster=yes", "-o", "ControlPersist=300", *ssh[1:]])
    door = Door(router.authority(village), chat.PORT)

    async def leave() -> float:
        ended = asyncio.Event()
        async with session(door, dan.name, BRIEF) as client:
            client.add_event_handler("disconnected", lambda _: ended.set())
            began = time.monotonic()
            new = [f"{dan.name}2"] if how == "rename" else []
            await asyncio.to_thread(village.darkpeak, "member", how, dan.name, *new)
            await asyncio.wait_for(ended.wait(), MINUTE)
            return began

    began = asyncio.run(leave())
    assert b"Logged in as" not in browser.get("/start")
    assert f"hello {dan.name}\n" not in run(ssh, check=False).stdout.replace(",", "\n")
    assert time.monotonic() - began < MINUTE
    assert not logs_in(village, dan.name, BRIEF)
    assert not wiki.at(village).logs_in(dan.name, BRIEF)
    assert not xmpp_login(door, dan.name, BRIEF)


def test_a_name_that_is_a_filter_is_nobody(village: Collective) -> None:
    grace, door = PASSWORDS["grace"], Door(router.authority(village), chat.PORT)
    assert logs_in(village, "grace", grace)
    forget_failures(village)
    browser = wiki.at(village)
    assert [name for name in NOBODY if browser.logs_in(name, grace)] == []
    assert b"Logged in as" not in browser.get(f"/start?do=login&u=grace%00&p={quote(grace)}")
    # By XMPP's own rules (RFC 7622), the wide letters are grace's own name before anybody is asked.
    others = (*(name for name in NOBODY if name != WIDE), "grace\0", "\0grace")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: login(door, name, grace), others))
    assert [answer for answer in answers if "<success" in answer] == []
    key = (member(village, "grace").keys / "grace.pub").read_text()
    for name in NOBODY:
        refused = village.script("git", "member-key", "add", name, stdin=key, check=False)
        assert refused.returncode in {1, 2}, name
    for name in NOBODY[:-1]:
        assert village.darkpeak("member", "show", name, check=False).returncode == 2
    # The services still work, and grace is still grace.
    assert "<success" in login(door, "grace", grace)
    forget_failures(village)
    assert wiki.at(village).logs_in("grace", grace)


def forget_failures(village: Collective) -> None:
    """Have the wiki forget failed logins: it lets one address fail ten times a minute."""
    village.execute("wiki", "webserver", "rm", "-rf", "/run/wiki/failed")


def places(report: dict[str, Any]) -> set[str]:
    """Return the places in volumes where a member was found."""
    return {item["place"] for item in report["found"]} - {""}


def grep(*texts: str) -> set[tuple[str, str]]:
    """Return the volumes, and the files in them, that contain these texts: found in another way."""
    top = Path("/var/lib/docker/volumes")
    search: list[str] = ["-laiwF", *(option for text in texts for option in ("-e", text))]
    plain = run(["grep", "-r", *search, str(top)], check=False).stdout
    packed = run(["find", str(top), "-name", "*.gz", "-exec", "zgrep", *search, "{}", "+"], check=False).stdout
    found = [re.sub(r"\.git/.*", ".git", line) for line in (plain + packed).splitlines()]  # a repository is one place
    parts = [Path(line).relative_to(top).parts for line in found]
    return {(volume, "/".join(place)) for volume, folder, *place in (item for item in parts if len(item) > 2)}


def member(village: Collective, uid: str) -> Member:
    """Return a member with an ssh key, which git does not know yet."""
    ada = git.members(village)[0]
    if not (ada.keys / uid).exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "at home", "-f", str(ada.keys / uid)])
    return Member(uid, ada.keys)


def reaches(one: Member) -> bool:
    """Return whether the member's key opens git."""
    return one.git("ls-remote", f"{SERVER}/testing", check=False).returncode == 0


def greeting(one: Member) -> str:
    """Return how git greets the owner of a key."""
    return run([*one.ssh.split(), "-p", "6042", "git@localhost", "info"]).stdout
