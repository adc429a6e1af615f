"""The members' own page: used by members through the router, without a second login, and attacked."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.live.facts import directory
from tests.live.facts.directory import MEMBERS, PEOPLE, logs_in, manage
from tests.live.portal import BASE, HIDDEN, Visitor, message, visitors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.collectives import Collective

ADA, GRACE = MEMBERS["ada"], MEMBERS["grace"]
TITLES = {"en": "You and your data", "de": "Du und deine Daten", "fr": "Vous et vos données", "es": "Tú y tus datos"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8mTI1hCGGKTRwnBRUvqkXdHpFM6X4XqvMTJmzzg4mQ"
OTHERS = KEY.replace("mQ", "mA")


@pytest.fixture(scope="module")
def running(collective: Collective) -> Collective:
    """Return the collective with the login page, and two members."""
    collective.darkpeak("add", "account")
    collective.darkpeak("up", "router", "directory", "account", timeout=900)
    for uid, password in MEMBERS.items():
        collective.darkpeak("member", "add", uid, "--password-stdin", stdin=password)
    return collective


@pytest.fixture(scope="module")
def visitor(running: Collective, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Visitor]:
    """Return a function that makes a visitor, who trusts the collective's CA."""
    return visitors(running, tmp_path_factory.mktemp("page"))


@pytest.fixture
def grace(visitor: Callable[..., Visitor]) -> Visitor:
    """Return grace, who has logged in."""
    return logged_in(visitor, "grace")


def logged_in(visitor: Callable[..., Visitor], uid: str) -> Visitor:
    """Return a member who has logged in at the own page: the login page leads back to it."""
    member = visitor("127.0.3.1")
    assert member.location("/me") == f"{BASE}/to-me"
    page = member.submit(form_of(member), f"user={uid}", f"password={MEMBERS[uid]}")
    assert f"Logged in as <strong>{uid}</strong>" in page
    assert TITLES["en"] in page
    return member


def form_of(member: Visitor) -> str:
    """Return the path of the login page that leads back to the own page."""
    return member.location("/to-me").removeprefix(BASE)


def send(member: Visitor, form: str, *fields: str) -> str:
    """Fill in one of the forms; return the message of the page that follows."""
    token = dict(HIDDEN.findall(member.get("/me").decode()))["token"]
    return message(member.post(f"/me/{form}", f"token={token}", *fields))


def entry(running: Collective, uid: str, *names: str) -> str:
    """Return what the directory has of a member."""
    return manage(
        running, "ldapsearch", "", "-LLL", "-o", "ldif-wrap=no", "-b", f"uid={uid},{PEOPLE}", "-s", "base", *names
    )


def test_a_member_changes_name_and_mail_address_and_the_log_says_who(running: Collective, grace: Visitor) -> None:
    assert send(grace, "name", "name= Grace  Brewster Hopper ") == "It is saved."
    assert send(grace, "mail", "mail=grace@new.example", "password=not hers") == "The password is wrong."
    assert "mail: grace@new.example" not in entry(running, "grace", "mail")
    assert send(grace, "mail", "mail=grace@new.example", f"password={GRACE}") == "It is saved."
    changed = entry(running, "grace", "cn", "sn", "mail")
    assert {"cn: Grace Brewster Hopper", "sn: Hopper", "mail: grace@new.example"} <= set(changed.splitlines())
    page = grace.get("/me").decode()
    assert 'value="Grace Brewster Hopper"' in page
    assert 'value="grace@new.example"' in page
    log = running.darkpeak("member", "log", "grace").stdout
    assert re.search(r"grace +grace +changed cn, sn", log), log
    assert re.search(r"grace +grace +changed mail", log), log


@pytest.mark.parametrize("language", TITLES)
def test_the_page_is_in_the_members_language_and_needs_no_script(
    visitor: Callable[..., Visitor], language: str
) -> None:
    member = visitor("127.0.3.2", language)
    page = member.submit(form_of(member), "user=ada", f"password={ADA}")
    assert f"<h1>{TITLES[language]}</h1>" in page
    assert f'<html lang="{language}">' in page
    assert "<script" not in page


def test_keys_are_added_and_removed_and_belong_to_one_member(
    running: Collective, visitor: Callable[..., Visitor], grace: Visitor
) -> None:
    assert send(grace, "keys/add", f"key={KEY} grace at home\n") == "The key is added."
    assert f"sshPublicKey: {KEY} grace at home\n" in entry(running, "grace", "sshPublicKey")
    page = grace.get("/me").decode()
    assert "grace at home" in page
    assert send(grace, "keys/add", f"key={KEY} again") == "You have this key already."
    ada = logged_in(visitor, "ada")
    assert send(ada, "keys/add", f"key={KEY} mine now").startswith("Another member has this key.")
    fingerprint = dict(HIDDEN.findall(page))["fingerprint"]
    assert send(ada, "keys/remove", f"fingerprint={fingerprint}") == "The key is removed."  # it is not hers
    assert fingerprint in running.darkpeak("member", "ssh-key", "list", "grace").stdout
    assert send(grace, "keys/remove", f"fingerprint={fingerprint}") == "The key is removed."
    assert "sshPublicKey" not in entry(running, "grace", "sshPublicKey")


@pytest.mark.parametrize(
    "key",
    [
        "",
        f'command="sh" {OTHERS}',
        f"no-pty {OTHERS}",
        f"{OTHERS}\n{OTHERS.replace('mA', 'mB')}",
        f"{OTHERS} a\x0b{OTHERS}",
        f"{OTHERS} {'x' * 5000}",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        f"{OTHERS}\nobjectClass: extensibleObject",
    ],
    ids=["nothing", "command", "option", "two lines", "one after a line break", "too long", "private", "LDIF"],
)
def test_what_is_not_one_plain_key_is_refused(running: Collective, grace: Visitor, key: str) -> None:
    assert re.match(
        "This is not one public key|A public key begins|The key is damaged", send(grace, "keys/add", f"key={key}")
    )
    assert "sshPublicKey" not in entry(running, "grace", "sshPublicKey")


@pytest.mark.parametrize(
    ("form", "fields", "said"),
    [
        ("mail", ["mail=ada@example.org"], "This is no mail address, or another member has it."),  # hers is taken
        ("mail", ["mail=ada"], "This is no mail address, or another member has it."),  # it would log in as ada
        ("name", [f"name={'x' * 300}"], "The directory does not take this name."),
        ("name", ["name=a\nuid: ada"], "The directory does not take this name."),
        ("name", ["name= "], "The directory does not take this name."),
        ("keys/remove", ["fingerprint=*)(uid=*"], "The key is removed."),
        ("forget", ["uid=ada"], "Nothing was done: type your login name to confirm it."),
    ],
)
def test_what_a_form_says_changes_nothing_else(
    running: Collective, grace: Visitor, form: str, fields: list[str], said: str
) -> None:
    manage(running, "ldapmodify", f"dn: uid=ada,{PEOPLE}\nchangetype: modify\nreplace: mail\nmail: ada@example.org\n")
    before = [entry(running, uid) for uid in ("ada", "grace")]
    assert send(grace, form, *fields, f"password={GRACE}") == said
    assert [entry(running, uid) for uid in ("ada", "grace")] == before


def test_forms_of_other_sites_and_logins_do_nothing(
    running: Collective, visitor: Callable[..., Visitor], grace: Visitor
) -> None:
    other = dict(HIDDEN.findall(logged_in(visitor, "ada").get("/me").decode()))["token"]
    before = entry(running, "grace")
    forms = ("name", "mail", "keys/add", "keys/remove", "log-out", "export", "forget", "stay")
    for token in ("", "0" * 64, other, "é"):
        for form in forms:
            said = grace.post(f"/me/{form}", f"token={token}", "name=Eve", f"key={KEY}", "uid=grace")
            assert message(said) == "The page was open for too long. Try it again.", form
    assert entry(running, "grace") == before
    assert "grace" not in running.darkpeak("member", "wishes").stdout
    for form in forms:
        assert visitor("127.0.3.1").location(f"/me/{form}", "-d", f"token={other}") == f"{BASE}/to-me"
    said = grace.get("/me", "--include").decode().lower()
    assert "frame-ancestors 'none'" in said
    assert "cache-control: no-store" in said


def test_nobody_is_believed_but_the_login_page(running: Collective, visitor: Callable[..., Visitor]) -> None:
    port = int(running.compose("account", "port", "portal", "80").stdout.rpartition(":")[2])
    for stranger in (visitor("127.0.3.1"), Visitor(f"http://127.0.0.1:{port}", ("-H", "Host: account.localhost"))):
        for name in ("X-Forwarded-User", "X_Forwarded_User", "Remote-User", "INSIDE", "Lm-Remote-User"):
            assert stranger.status("/me", "-H", f"{name}: ada", "-H", "X-Forwarded-Proto: https") == 303
        for session in ("0" * 64, "../../current/secrets/session", "a\x01b", "é", ""):
            assert stranger.status("/me", "-H", f"Cookie: account={session}", "-H", "X-Forwarded-Proto: https") in {
                303,
                400,
            }
    ada = logged_in(visitor, "ada")
    assert ada.status("/whoami") == 403
    assert "Logged in as <strong>ada</strong>" in ada.get("/me", "-H", "X-Forwarded-User: grace").decode()


def test_what_is_huge_is_refused(grace: Visitor, tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"key=" + b"x" * 200_000)
    assert grace.status("/me/keys/add", "--data-binary", f"@{tmp_path / 'huge'}") == 413
    assert send(grace, "name", f"name={'é' * 5_000}") == "The directory does not take this name."
    assert grace.status("/me") == 200


def test_wrong_passwords_for_a_new_mail_address_end(visitor: Callable[..., Visitor], running: Collective) -> None:
    directory.add_member(running, "eve", "eve's own")
    eve = visitor("127.0.3.3")
    eve.log_in("eve", "eve's own")
    said = [send(eve, "mail", "mail=eve@example.org", f"password=guess {number}") for number in range(6)]
    assert said == ["The password is wrong."] * 5 + ["Too many wrong passwords. Try again in ten minutes."]
    assert send(eve, "mail", "mail=eve@example.org", "password=eve's own").startswith("Too many")
    assert logs_in(running, "eve", "eve's own")


def test_logging_out_everywhere_ends_all_logins(visitor: Callable[..., Visitor], grace: Visitor) -> None:
    elsewhere, ada = logged_in(visitor, "grace"), logged_in(visitor, "ada")
    assert send(grace, "log-out") == "You are logged out."
    for member in (grace, elsewhere):
        assert member.location("/me") == f"{BASE}/to-me"
        assert 'name="password"' in member.get("/").decode()
    assert ada.status("/me") == 200


def test_a_member_asks_for_a_copy_and_only_she_fetches_it(
    running: Collective, visitor: Callable[..., Visitor], grace: Visitor, tmp_path: Path
) -> None:
    assert message(grace.get("/me/copy").decode()) == "There is no copy for you."
    assert send(grace, "export") == "The admins see what you asked for."
    assert send(grace, "export") == "The admins see what you asked for."
    asked = running.darkpeak("member", "wishes").stdout
    assert re.search(r"grace +a copy of their data +darkpeak member export grace ./grace --hand-over\n", asked), asked
    done = running.darkpeak("member", "export", "grace", str(tmp_path / "grace"), "--hand-over", timeout=300)
    assert "grace can fetch it on their own page" in done.stderr
    assert "grace" not in running.darkpeak("member", "wishes").stdout
    with zipfile.ZipFile(io.BytesIO(grace.get("/me/copy"))) as copy:
        assert copy.testzip() is None
        (entry_of,) = [name for name in copy.namelist() if name.startswith("grace/directory/")]
        assert "uid: grace" in copy.read(entry_of).decode()
        assert "grace/index.html" in copy.namelist()
    ada = logged_in(visitor, "ada")
    assert (ada.status("/me/copy"), visitor("127.0.3.1").status("/me/copy")) == (404, 303)
    old = ("touch", "-d", "8 days ago", "/var/lib/account/copies/grace.zip")
    running.execute("account", "portal", *old)
    assert grace.status("/me/copy") == 404


def test_a_copy_that_is_not_complete_is_refused(running: Collective) -> None:
    done = subprocess.run(
        ["docker", "compose", "exec", "-T", "portal", "hand-over", "ada"],
        cwd=running.folder("account"),
        env={**running.environment},
        input=b"PK\3\4" + bytes(100),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, b"hand-over: the zip file is not complete\n")
    assert running.execute("account", "portal", "ls", "-A", "/var/lib/account/copies").stdout in {"", "grace.zip\n"}


def test_a_member_asks_to_be_forgotten_stays_and_asks_again(
    running: Collective, visitor: Callable[..., Visitor]
) -> None:
    directory.add_member(running, "zoe", "zoe's own")
    zoe = visitor("127.0.3.4")
    zoe.log_in("zoe", "zoe's own")
    assert send(zoe, "forget", "uid=zoe") == "The admins see what you asked for."
    assert re.search(r"zoe +to be forgotten +darkpeak member forget zoe\n", running.darkpeak("member", "wishes").stdout)
    assert send(zoe, "stay") == "You stay: nobody will forget you."
    assert "zoe" not in running.darkpeak("member", "wishes").stdout
    assert send(zoe, "forget", "uid=zoe") == "The admins see what you asked for."
    gone = running.darkpeak("member", "forget", "zoe", "--yes", timeout=600).stdout
    found = [line.strip() for line in gone.splitlines() if "still found" in line]
    assert found == ["still found in the log of darkpeak-account-portal-1 (Zoe, zoe)"]
    assert "zoe" not in running.darkpeak("member", "wishes").stdout
    assert zoe.location("/me") == f"{BASE}/to-me"


def test_without_the_directory_the_page_says_so(running: Collective, grace: Visitor) -> None:
    running.compose("directory", "stop")
    try:
        page = grace.get("/me").decode()
    finally:
        running.compose("directory", "up", "-d", "--wait")
    assert message(page) == "The directory of members does not answer. Try again in a minute."
    assert "Traceback" not in page
    assert grace.status("/me") == 200
