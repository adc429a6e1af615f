"""The directory, used as services and members use it: with ldap-utils on the host, over the loopback."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING

import pytest

from lab.commands import wait_for
from tests.live import ciphers
from tests.live.facts import directory
from tests.live.facts.directory import MEMBERS, PEOPLE, manage
from tests.live.ldap import (
    CONFIDENTIALITY_REQUIRED,
    CONSTRAINT,
    DENIED,
    GROUPS,
    INVALID,
    PLAIN,
    STRONGER_AUTH_REQUIRED,
    TLS,
    Client,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.collectives import Collective

GUEST, NEW = "only for a while", "another of mine"
STRONG = b"{ARGON2}$argon2id$v=19$m=19456,t=2,p=1$"
IDLE = 1100
ADMIN_LIMIT, UNDEFINED_TYPE = 11, 17


@pytest.fixture(scope="module")
def running(collective: Collective) -> Collective:
    """Return the collective with its directory running, once for all of these tests."""
    collective.darkpeak("up", "router", "directory", timeout=900)
    return collective


@pytest.fixture
def client(running: Collective, tmp_path: Path) -> Client:
    """Return a client of a directory with two members: ada, an admin with a mail address, and grace."""
    directory.write(running)
    change = f"dn: uid=ada,{PEOPLE}\nchangetype: modify\nreplace: mail\nmail: ada@example.org\n"
    manage(running, "ldapmodify", change)
    return Client(running, tmp_path)


@pytest.fixture
def guest(client: Client) -> Iterator[str]:
    """Yield a member for one test, whose password is GUEST."""
    directory.add_member(client.collective, "guest", GUEST)
    yield "guest"
    manage(client.collective, "ldapdelete", "", f"uid=guest,{PEOPLE}")


@pytest.mark.parametrize("address", [PLAIN, TLS])
@pytest.mark.parametrize("base", [PEOPLE, "dc=collective"])
def test_anyone_finds_only_that_a_member_exists(client: Client, address: str, base: str) -> None:
    found = client.search(address, base, "(uid=ada)", "*", "+")
    attributes = {line.partition(":")[0] for line in found.splitlines() if line}
    assert attributes == {"dn", "uid"}
    assert client.search(address, base, "(cn=Ada)", "*") == ""
    assert client.search(address, base, "(cn=*)", "*") == ""


def test_a_member_sees_the_names_of_others(client: Client) -> None:
    assert "cn: Ada" in client.search(TLS, PEOPLE, "(uid=ada)", uid="grace")


@pytest.mark.parametrize("filter_", ["(mail=*)", "(mail=ada@*)", "(userPassword=*)", "(sn=Ada)", "(member=*)"])
def test_hidden_values_cannot_be_guessed_by_searching(client: Client, filter_: str) -> None:
    assert client.search(TLS, "dc=collective", filter_) == ""


def test_no_login_can_read_a_password(client: Client) -> None:
    for uid in ("", "grace", "ada"):
        assert "userPassword" not in client.search(TLS, "dc=collective", "(uid=*)", "*", "+", uid=uid)


def test_a_mail_address_is_for_its_owner_and_admins(client: Client) -> None:
    assert "mail: ada@example.org" in client.search(TLS, PEOPLE, "(uid=ada)", uid="ada")
    assert "mail:" not in client.search(TLS, PEOPLE, "(uid=ada)", uid="grace")
    assert "sn: Grace" in client.search(TLS, PEOPLE, "(uid=grace)", uid="ada")


def test_a_member_sees_the_groups_that_they_are_in(client: Client) -> None:
    assert f"member: uid=ada,{PEOPLE}" in client.search(TLS, GROUPS, "(cn=admins)", uid="ada")
    assert client.search(TLS, GROUPS, "(cn=admins)", uid="grace") == ""
    assert client.search(TLS, GROUPS, "(cn=admins)") == ""


def test_nobody_collects_names(client: Client) -> None:
    people = "\n".join(
        f"dn: uid=crowd{n},{PEOPLE}\nobjectClass: inetOrgPerson\ncn: C\nsn: C\nuid: crowd{n}\n" for n in range(20)
    )
    manage(client.collective, "ldapadd", people)
    search = ("ldapsearch", "-LLL", "-H", TLS, "-b", PEOPLE)
    try:
        for uid in ("", "grace"):
            for filter_ in ("(uid=crowd1*)", "(uid=*)", "(objectClass=*)", "(!(uid=ada))"):
                refused = client.run(*search, filter_, uid=uid)
                assert (refused.returncode, refused.stdout) == (ADMIN_LIMIT, ""), filter_
            assert client.run(*search, "-E", "!pr=2/noprompt", "(uid=crowd1)", uid=uid).stdout == ""
            assert client.search(TLS, PEOPLE, "(&(objectClass=inetOrgPerson)(uid=crowd1))", uid=uid).count("dn:") == 1
        assert client.search(TLS, PEOPLE, "(uid=crowd*)", "uid", uid="ada").count("dn:") == 20
    finally:
        manage(client.collective, "ldapdelete", "", *(f"uid=crowd{n},{PEOPLE}" for n in range(20)))


@pytest.mark.parametrize(
    ("address", "starttls", "password", "code"),
    [
        (TLS, (), "", 0),
        (PLAIN, ("-ZZ",), "", 0),
        (PLAIN, (), "", CONFIDENTIALITY_REQUIRED),
        (TLS, (), "not hers", INVALID),
        (PLAIN, ("-ZZ",), "not hers", INVALID),
    ],
)
def test_a_login_needs_tls(client: Client, address: str, starttls: tuple[str, ...], password: str, code: int) -> None:
    assert client.run("ldapwhoami", "-H", address, *starttls, uid="ada", password=password).returncode == code


def test_its_certificate_is_only_for_its_own_names(client: Client) -> None:
    wrong = client.run("ldapwhoami", "-H", TLS.replace("directory.localhost", "127.0.0.1"))
    assert "Can't contact LDAP server" in wrong.stderr


@pytest.mark.parametrize(("cipher", "accepted"), ciphers.ACCEPTED.items())
@pytest.mark.usefixtures("running")
def test_old_ciphers_are_refused(cipher: str, *, accepted: bool) -> None:
    assert ciphers.accepts(6021, cipher) == accepted


def test_passwords_are_hashed_with_argon2(client: Client, guest: str) -> None:
    change = f"dn: uid={guest},{PEOPLE}\nchangetype: modify\nreplace: userPassword\nuserPassword: {NEW}\n"
    assert client.run("ldapmodify", "-H", TLS, uid=guest, password=GUEST, ldif=change).returncode == 0
    dump = client.collective.execute("directory", "slapd", "slapcat", "-o", "ldif-wrap=no").stdout
    hashes = [line for line in dump.splitlines() if line.startswith("userPassword")]
    assert len(hashes) >= len(MEMBERS)
    assert {line[:40] for line in hashes} == {"userPassword:: e0FSR09OMn0kYXJnb24yaWQkd"}
    assert client.run("ldapwhoami", "-H", TLS, uid=guest, password=NEW).returncode == 0


def test_a_member_changes_their_own_password(client: Client, guest: str) -> None:
    changed = client.run("ldappasswd", "-H", TLS, "-s", NEW, uid=guest, password=GUEST)
    assert changed.returncode == 0, changed.stderr
    assert client.run("ldapwhoami", "-H", TLS, uid=guest, password=NEW).returncode == 0
    assert client.run("ldapwhoami", "-H", TLS, uid=guest, password=GUEST).returncode == INVALID


@pytest.mark.parametrize(
    ("uid", "dn", "change", "code"),
    [
        ("grace", f"uid=grace,{PEOPLE}", "replace: userPassword\nuserPassword: short", CONSTRAINT),
        ("grace", f"uid=grace,{PEOPLE}", "replace: userPassword\nuserPassword: {SSHA}0123456789abcdef", CONSTRAINT),
        ("grace", f"uid=grace,{PEOPLE}", "add: title\ntitle: Treasurer", DENIED),
        ("grace", f"uid=ada,{PEOPLE}", "replace: cn\ncn: Ada", DENIED),
        ("grace", f"uid=ada,{PEOPLE}", "replace: userPassword\nuserPassword: grace knows it", DENIED),
        ("grace", f"cn=admins,{GROUPS}", f"add: member\nmember: uid=grace,{PEOPLE}", DENIED),
        ("ada", f"uid=grace,{PEOPLE}", "replace: userPassword\nuserPassword: ada knows it", DENIED),
        ("", f"uid=ada,{PEOPLE}", "replace: cn\ncn: Eve", STRONGER_AUTH_REQUIRED),
    ],
)
def test_every_other_change_is_refused(client: Client, uid: str, dn: str, change: str, code: int) -> None:
    ldif = f"dn: {dn}\nchangetype: modify\n{change}\n"
    assert client.run("ldapmodify", "-H", TLS, uid=uid, ldif=ldif).returncode == code


def b64(text: str) -> str:
    """Return the text in base64, as LDIF has it after two colons."""
    return base64.b64encode(text.encode()).decode()


ONE_MORE = "add: userPassword\nuserPassword: manypasswords"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (ONE_MORE, CONSTRAINT),
        (f"{ONE_MORE}1\n-\n{ONE_MORE}2", CONSTRAINT),
        (f"{ONE_MORE}1\nuserPassword: manypasswords2", CONSTRAINT),
        ("replace: userPassword\nuserPassword: longenough\nuserPassword: manypasswords", CONSTRAINT),
        (f"delete: userPassword\nuserPassword: {GUEST}\n-\n{ONE_MORE}1\n-\n{ONE_MORE}2", CONSTRAINT),
        ("add: 2.5.4.35\n2.5.4.35: manypasswords", CONSTRAINT),
        ("add: userPassword;lang-en\nuserPassword;lang-en: manypasswords", DENIED),
        ("add: userPassword;lang-x\nuserPassword;lang-x: {CLEARTEXT}secret", DENIED),
        ("replace: userPassword;binary\nuserPassword;binary:: " + b64("{CLEARTEXT}secret"), UNDEFINED_TYPE),
    ],
)
def test_a_member_has_one_password(client: Client, guest: str, change: str, code: int) -> None:
    ldif = f"dn: uid={guest},{PEOPLE}\nchangetype: modify\n{change}\n"
    before = passwords(client.collective, guest)
    assert client.run("ldapmodify", "-H", TLS, uid=guest, password=GUEST, ldif=ldif).returncode == code
    assert passwords(client.collective, guest) == before


@pytest.mark.parametrize(
    "value",
    [
        "{CLEARTEXT}longenough",
        "{cleartext}longenough",
        "{CRYPT}longenough",
        "{SSHA}0123456789abcdef0123456789abcdef",
        "{sasl}ada@example.org",
        "{NOSUCH}longenough",
        "{}longenough",
        "{a b}longenough",
        "{ARGON2}$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$5Ew3xEt8YWQOQ4Dp",
        "{argon2}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$5Ew3xEt8YWQOQ4Dp",
    ],
)
def test_no_member_sets_a_hash(client: Client, guest: str, value: str) -> None:
    before = passwords(client.collective, guest)
    for how in ("replace", "add"):
        ldif = f"dn: uid={guest},{PEOPLE}\nchangetype: modify\n{how}: userPassword\nuserPassword:: {b64(value)}\n"
        assert client.run("ldapmodify", "-H", TLS, uid=guest, password=GUEST, ldif=ldif).returncode == CONSTRAINT
    assert passwords(client.collective, guest) == before
    # The password-modify request hashes some of these as they are, which does no harm.
    client.run("ldappasswd", "-H", TLS, "-s", value, uid=guest, password=GUEST)
    [password] = passwords(client.collective, guest)
    assert base64.b64decode(password.removeprefix("userPassword:: ")).startswith(STRONG)


def test_surplus_passwords_of_older_versions_are_removed_at_start(client: Client, guest: str, tmp_path: Path) -> None:
    running = client.collective
    [strong] = passwords(running, guest)
    more = f"dn: uid={guest},{PEOPLE}\nchangetype: modify\nadd: userPassword\nuserPassword: {{CLEARTEXT}}x\n-\n"
    more += "add: userPassword;lang-en\nuserPassword;lang-en: x\n"
    running.execute("directory", "slapd", "slapmodify", stdin=more)
    assert f"more than one password: uid={guest} " in running.script("directory", "verify", check=False).stderr
    running.script("directory", "backup", str(tmp_path / "planted"))
    running.compose("directory", "restart")
    running.compose("directory", "up", "-d", "--wait")
    assert passwords(running, guest) == [strong]
    assert running.script("directory", "verify").stdout == f"{len(MEMBERS) + 1} members\n"
    running.script("directory", "restore", str(tmp_path / "planted"))
    assert passwords(running, guest) == [strong]
    assert directory.logs_in(running, guest, GUEST)


def test_a_restore_is_not_done_if_verify_refuses_what_was_restored(client: Client, guest: str, tmp_path: Path) -> None:
    running = client.collective
    weak = f"dn: uid={guest},{PEOPLE}\nchangetype: modify\nreplace: userPassword\nuserPassword: {{CLEARTEXT}}x\n"
    running.execute("directory", "slapd", "slapmodify", stdin=weak)
    running.script("directory", "backup", str(tmp_path / "weak"))
    refused = running.darkpeak("restore", "directory", "--from", str(tmp_path / "weak"), check=False)
    assert refused.returncode == 3, refused.stdout
    assert "restored and in use, but its check failed" in refused.stderr
    assert "done" not in refused.stdout
    assert directory.logs_in(running, "ada", MEMBERS["ada"])
    running.darkpeak("member", "passwd", guest, "--password-stdin", stdin=f"{GUEST}\n")
    running.script("directory", "verify")


def test_idle_connections_do_not_stop_it(client: Client) -> None:
    """1,100 stopped slapd once. It ends those that are idle."""
    connections = [socket.create_connection(("127.0.0.1", 6020), timeout=10) for _ in range(IDLE)]
    try:
        assert client.run("ldapwhoami", "-H", TLS, uid="ada").returncode == 0
        wait_for("idle connections to end", lambda: all(map(ended, connections)), timeout=90)
    finally:
        for connection in connections:
            connection.close()


def ended(connection: socket.socket) -> bool:
    """Return whether the other side has closed a connection."""
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def passwords(collective: Collective, uid: str) -> list[str]:
    """Return the lines with a member's passwords, as they are stored."""
    dump = collective.execute("directory", "slapd", "slapcat", "-o", "ldif-wrap=no", "-a", f"(uid={uid})").stdout
    return [line for line in dump.splitlines() if line.startswith("userPassword")]


def test_a_member_who_is_removed_by_hand_leaves_the_groups(client: Client) -> None:
    directory.add_member(client.collective, "eve", GUEST)
    member = f"uid=eve,{PEOPLE}"
    change = f"dn: cn=admins,{GROUPS}\nchangetype: modify\nadd: member\nmember: {member}\n"
    manage(client.collective, "ldapmodify", change)
    manage(client.collective, "ldapdelete", "", member)
    assert member not in client.search(TLS, GROUPS, "(cn=admins)", uid="ada")


def test_a_certificate_that_ends_soon_is_renewed_at_start(running: Collective) -> None:
    old = certificate(running)
    running.compose("directory", "restart")
    running.compose("directory", "up", "-d", "--wait")
    assert certificate(running) == old
    sign = (
        "cd /var/lib/slapd-tls/current && openssl req -new -key key.pem -subj /CN=directory.localhost"
        " | openssl x509 -req -CA /ca/ca.crt -CAkey /ca/ca.key -days 100 -out short.pem && mv short.pem certificate.pem"
    )
    running.execute("directory", "slapd", "sh", "-c", sign)
    running.compose("directory", "restart")
    running.compose("directory", "up", "-d", "--wait")
    assert directory.logs_in(running, "ada", MEMBERS["ada"])
    end = "openssl x509 -noout -checkend 31536000 -in /var/lib/slapd-tls/current/certificate.pem"
    running.execute("directory", "slapd", "sh", "-c", end)


def test_slapd_runs_as_its_own_user_in_little_memory(running: Collective) -> None:
    directory.write(running)
    status = running.execute("directory", "slapd", "cat", "/proc/1/status").stdout
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert facts["Name"] == "slapd"
    assert facts["Uid"].split()[0] != "0"
    assert int(facts["VmRSS"].split()[0]) < 30 * 1024


def test_its_content_is_verified(running: Collective) -> None:
    directory.write(running)
    assert "members" in running.script("directory", "verify").stdout
    weak = (
        f"dn: uid=weak,{PEOPLE}\nobjectClass: inetOrgPerson\ncn: W\nsn: W\nuid: weak\nuserPassword: {{SSHA}}abcdefgh\n"
    )
    running.execute("directory", "slapd", "slapadd", stdin=weak)
    try:
        assert running.script("directory", "verify", check=False).returncode
    finally:
        manage(running, "ldapdelete", "", f"uid=weak,{PEOPLE}")


def certificate(collective: Collective) -> str:
    """Return slapd's certificate."""
    return collective.execute("directory", "slapd", "cat", "/var/lib/slapd-tls/current/certificate.pem").stdout
