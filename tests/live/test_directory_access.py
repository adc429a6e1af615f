"""Who may do what in the directory: each rule of access; the brake on guessing; the log; data of the version before."""

from __future__ import annotations

import base64
import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.commands import wait_for
from tests.live.facts import directory
from tests.live.facts.directory import MEMBERS, PEOPLE, logs_in, manage
from tests.live.ldap import CONSTRAINT, DENIED, GROUPS, INVALID, STRONGER_AUTH_REQUIRED, TLS, Client, Guesser

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.collectives import Collective

BEFORE = Path(__file__).with_name("before")
SHOWN = ("dn", "uid", "objectClass", "cn", "sn", "givenName", "displayName", "mail", "memberOf", "sshPublicKey")
OLD = {"ada": "engine-1843", "grace": "compiler: 1952"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8mTI1hCGGKTRwnBRUv bob"
ACCOUNT, STRANGER, PAGE, KEYS = (
    f"cn={name},ou=services,dc=collective" for name in ("account", "stranger", "page", "keys")
)
BOB, BOBS = f"uid=bob,{PEOPLE}", "bob builds it"
WRONG = "not the password"
NOT_AS = 123  # LDAP's code for someone who may not act as another
ENTRY = f"""dn: {BOB}
objectClass: inetOrgPerson
objectClass: ldapPublicKey
uid: bob
cn: Bob Builder
sn: Builder
givenName: Bob
displayName: Bobby
mail: bob@example.org
sshPublicKey: {KEY}
userPassword: {BOBS}

dn: cn=builders,{GROUPS}
objectClass: groupOfNames
cn: builders
description: They build
member: {BOB}
"""
# What each may read of bob: "" is anonymous; ada is in the group admins; grace is another; ACCOUNT is the login page;
# PAGE is the members' own page, as itself and not as a member; KEYS is git.
READS = {
    "": {"dn", "uid"},
    "grace": {"dn", "uid", "objectClass", "cn"},
    "bob": set(SHOWN),
    "ada": set(SHOWN),
    ACCOUNT: {"dn", "uid", "objectClass", "cn", "sn", "givenName", "mail"},
    PAGE: {"dn", "uid", "objectClass", "cn", "sshPublicKey"},
    KEYS: {"dn", "uid", "objectClass", "cn", "sshPublicKey"},
}
# What each may search bob by, or compare with: what they may read, and strangers also the class, for services' filters.
# slapd computes memberOf only where it is read.
SEARCHES = {who: attributes - {"dn", "memberOf"} for who, attributes in READS.items()} | {"": {"uid", "objectClass"}}
VALUES = {
    "uid": "bob",
    "objectClass": "inetOrgPerson",
    "cn": "Bob Builder",
    "sn": "Builder",
    "givenName": "Bob",
    "displayName": "Bobby",
    "mail": "bob@example.org",
    "memberOf": f"cn=builders,{GROUPS}",
    "sshPublicKey": KEY,
    "userPassword": BOBS,
    "pwdLastSuccess": "20261127000000Z",
    "entryUUID": "b36cff96-7e52-1041-8e45-ab6ce7f20c38",
    "creatorsName": "cn=manager,dc=collective",
}
# The only things that anybody may change: their own password, names, mail address and ssh keys; the login page, all
# passwords. An admin too changes the rest with `darkpeak member`, as root in the container.
WRITES = {
    "": set[str](),
    "grace": set[str](),
    "bob": {"userPassword", "sshPublicKey", "cn", "sn", "givenName", "displayName", "mail"},
    "ada": set[str](),
    ACCOUNT: {"userPassword"},
    PAGE: set[str](),
    KEYS: set[str](),
}
OTHERS = {
    "pwdAccountLockedTime": "000001010000Z",
    "pwdReset": "TRUE",
    "pwdPolicySubentry": "cn=passwords,dc=collective",
    "authzTo": "dn.regex:.*",
    "seeAlso": BOB,
    "jpegPhoto": "x",
}
SLAPDS_OWN = {"entryUUID", "creatorsName", "memberOf", "pwdLastSuccess"}
WHO = tuple(READS)
CREATED = {
    f"uid=eve,{PEOPLE}": "objectClass: inetOrgPerson\nuid: eve\ncn: Eve\nsn: Eve\n",
    f"cn=friends,{GROUPS}": f"objectClass: groupOfNames\ncn: friends\nmember: {BOB}\n",
    "ou=more,dc=collective": "objectClass: organizationalUnit\n",
    f"cn=below,{BOB}": "objectClass: applicationProcess\n",
}


@pytest.fixture(scope="module")
def client(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Return a client of a directory with ada, who is an admin, grace, and bob with all attributes and a group."""
    collective.darkpeak("up", "router", "directory", timeout=900)
    directory.write(collective)
    manage(collective, "ldapadd", ENTRY)
    files = {ACCOUNT: "/account/password", PAGE: "/account/page", KEYS: "/keys/password"}
    own = {who: collective.execute("directory", "slapd", "cat", file).stdout.strip() for who, file in files.items()}
    return Client(collective, tmp_path_factory.mktemp("client"), {"bob": BOBS, **own})


@pytest.mark.parametrize("who", WHO)
def test_each_reads_only_what_is_theirs(client: Client, who: str) -> None:
    found = client.search(TLS, "dc=collective", "(uid=bob)", "*", "+", "userPassword", uid=who)
    attributes = {line.partition(":")[0] for line in found.splitlines() if line}
    assert attributes == READS[who]


@pytest.mark.parametrize("who", WHO)
def test_each_searches_only_by_what_they_may_read(client: Client, who: str) -> None:
    found = {name for name in VALUES if client.search(TLS, PEOPLE, f"({name}={VALUES[name]})", "1.1", uid=who)}
    assert found == SEARCHES[who]


@pytest.mark.parametrize("who", WHO)
def test_each_compares_only_what_they_may_read(client: Client, who: str) -> None:
    """Compare answers 6 if the value is right, so a value that may not be read must not answer."""
    shown = {name for name, value in VALUES.items() if compares(client, name, value, who)}
    assert shown == SEARCHES[who]


def compares(client: Client, name: str, value: str, who: str) -> bool:
    """Return whether the directory tells if a value of bob's is right."""
    return client.run("ldapcompare", "-H", TLS, BOB, f"{name}:{value}", uid=who).returncode in {5, 6}


@pytest.mark.parametrize("who", WHO)
def test_each_changes_only_what_is_theirs(client: Client, who: str) -> None:
    refused = DENIED if who else STRONGER_AUTH_REQUIRED
    for name, value in {**VALUES, **OTHERS}.items():
        if name in WRITES[who]:
            assert modify(client, who, f"replace: {name}\n{name}: {value}") == 0, name
        else:
            codes = {modify(client, who, f"{how}: {name}\n{name}: {value}") for how in ("add", "replace", "delete")}
            # Some attributes are slapd's own, or in no class of bob's, which it says first (19, 65).
            assert codes <= {refused, *((CONSTRAINT, 65) if who else ())}, (name, codes)
            assert refused in codes or name in SLAPDS_OWN, (name, codes)
    assert client.run("ldapwhoami", "-H", TLS, uid="bob").returncode == 0


def modify(client: Client, who: str, change: str) -> int:
    """Change bob's entry as `who`; return LDAP's result code."""
    return client.run("ldapmodify", "-H", TLS, uid=who, ldif=f"dn: {BOB}\nchangetype: modify\n{change}\n").returncode


@pytest.mark.parametrize("who", WHO)
def test_no_login_adds_deletes_or_renames(client: Client, who: str) -> None:
    refused = DENIED if who else STRONGER_AUTH_REQUIRED
    for dn, entry in CREATED.items():
        assert client.run("ldapadd", "-H", TLS, uid=who, ldif=f"dn: {dn}\n{entry}").returncode == refused, dn
    for dn in (BOB, f"cn=builders,{GROUPS}", f"cn=admins,{GROUPS}", "cn=passwords,dc=collective"):
        assert client.run("ldapdelete", "-H", TLS, dn, uid=who).returncode == refused, dn
    assert client.run("ldapmodrdn", "-H", TLS, BOB, "uid=eve", uid=who).returncode == refused
    for how in (f"add: member\nmember: uid=grace,{PEOPLE}", "replace: description\ndescription: x"):
        ldif = f"dn: cn=builders,{GROUPS}\nchangetype: modify\n{how}\n"
        assert client.run("ldapmodify", "-H", TLS, uid=who, ldif=ldif).returncode == refused, how


@pytest.mark.parametrize("who", WHO)
def test_no_login_reads_the_log_or_the_rules(client: Client, who: str) -> None:
    assert client.search(TLS, "cn=log", "(objectClass=*)", uid=who) == ""
    assert client.search(TLS, "cn=passwords,dc=collective", "(objectClass=*)", uid=who) == ""


def test_only_members_of_a_group_and_admins_see_it(client: Client) -> None:
    seen = {who: client.search(TLS, GROUPS, "(cn=builders)", uid=who) for who in WHO}
    assert {who for who, found in seen.items() if f"member: {BOB}" in found} == {"bob", "ada", ACCOUNT}
    assert {who for who, found in seen.items() if found} == {"bob", "ada", ACCOUNT}
    assert "description" not in seen[ACCOUNT]


def test_nobody_reads_or_changes_the_accounts_of_services(client: Client) -> None:
    for who in WHO:
        assert client.search(TLS, "ou=services,dc=collective", "(objectClass=*)", "*", "+", uid=who) == ""
        for name in (ACCOUNT, STRANGER, PAGE, KEYS):
            change = f"dn: {name}\nchangetype: modify\nreplace: userPassword\nuserPassword: another one\n"
            refused = DENIED if who else STRONGER_AUTH_REQUIRED
            assert client.run("ldapmodify", "-H", TLS, uid=who, ldif=change).returncode == refused


def test_a_locked_member_cannot_unlock_themselves_on_an_open_connection(client: Client) -> None:
    """A new password would end the lock."""
    with Guesser(client) as connected:
        assert connected.logs_in("grace", MEMBERS["grace"])
        assert connected.set_password("grace", MEMBERS["grace"]) == 0
        client.collective.darkpeak("member", "lock", "grace")
        assert connected.set_password("grace", MEMBERS["grace"]) == DENIED
    assert not logs_in(client.collective, "grace", MEMBERS["grace"])
    client.collective.darkpeak("member", "unlock", "grace")
    assert logs_in(client.collective, "grace", MEMBERS["grace"])


def test_only_the_own_page_acts_as_a_member_and_as_nobody_else(client: Client) -> None:
    """What it may do then is what the member may do."""
    mine = f"dn: {BOB}\nchangetype: modify\nreplace: displayName\ndisplayName: Bobby\n"
    for who in WHO:
        done = {other: act_as(client, who, other, mine) for other in ("bob", "grace", "ada")}
        refused = DENIED if who == PAGE else NOT_AS
        assert done == {"bob": 0 if who in {PAGE, "bob"} else NOT_AS, "grace": refused, "ada": refused} | (
            {who: DENIED} if who in {"grace", "ada"} else {}
        ), who
    for dn in ("cn=manager,dc=collective", ACCOUNT, f"cn=admins,{GROUPS}"):
        assert act_as(client, PAGE, dn, mine) == NOT_AS


def act_as(client: Client, who: str, other: str, ldif: str) -> int:
    """Change the directory as `who`, who says to be another; return LDAP's result code."""
    dn = other if "=" in other else f"uid={other},{PEOPLE}"
    return client.run("ldapmodify", "-H", TLS, "-e", f"!authzid=dn:{dn}", uid=who, ldif=ldif).returncode


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mail", "grace"),
        ("mail", "a b@example.org"),
        ("mail", f"{'a' * 250}@example.org"),
        ("cn", "x" * 201),
        ("cn:", "QQpC"),  # two lines
        ("sshPublicKey", f'command="sh" {KEY}'),
        ("sshPublicKey", f"no-pty,{KEY}"),
        ("sshPublicKey:", base64.b64encode(f"{KEY}\n{KEY}".encode()).decode()),
        ("sshPublicKey", f"{KEY} {'x' * 4096}"),
    ],
)
def test_what_members_write_of_themselves_is_what_it_should_be(client: Client, name: str, value: str) -> None:
    """A mail address logs in, too; so it must not be somebody's name. A key must not have options, or be two."""
    assert modify(client, "bob", f"replace: {name.rstrip(':')}\n{name}: {value}") == CONSTRAINT


def test_guesses_cannot_lock_the_login_page(client: Client) -> None:
    plant_failures(client, 120, ACCOUNT)
    assert client.run("ldapwhoami", "-H", TLS, uid=ACCOUNT, password=WRONG).returncode == INVALID
    assert client.run("ldapwhoami", "-H", TLS, uid=ACCOUNT).returncode == 0


def test_names_and_mail_addresses_are_unique(client: Client) -> None:
    entry = "objectClass: inetOrgPerson\nuid: eve\ncn: Eve\nsn: Eve\n"
    second = client.collective.execute(
        *("directory", "slapd", "ldapadd", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"),
        stdin=f"dn: uid=eve,{PEOPLE}\n{entry}mail: BOB@example.org\n",
        check=False,
    )
    assert second.returncode == CONSTRAINT
    assert "non-unique attributes" in second.stderr


def test_the_log_has_who_changed_what_but_no_logins(client: Client) -> None:
    change = f"dn: {BOB}\nchangetype: modify\nreplace: displayName\ndisplayName: Bobby\n"
    manage(client.collective, "ldapmodify", change, "-e", "sessiontracking=ada@laptop")
    key = f"dn: {BOB}\nchangetype: modify\nreplace: sshPublicKey\nsshPublicKey: {KEY}\n"
    assert client.run("ldapmodify", "-H", TLS, uid="bob", ldif=key).returncode == 0
    assert client.run("ldapwhoami", "-H", TLS, uid="bob", password=WRONG).returncode == INVALID
    assert client.run("ldapwhoami", "-H", TLS, uid="bob").returncode == 0
    log = manage(client.collective, "ldapsearch", "", "-LLL", "-o", "ldif-wrap=no", "-b", "cn=log", f"(reqDN={BOB})")
    assert "reqMod: displayName:= Bobby" in log
    assert b"ada@laptop".hex().upper() in log
    assert f"reqAuthzID: {BOB}" in log
    hidden = [base64.b64decode(line[8:]) for line in log.splitlines() if line.startswith("reqMod::")]
    assert any(value.startswith(b"userPassword:+ {ARGON2}") for value in hidden)
    assert not any(BOBS.encode() in value for value in (log.encode(), *hidden))
    assert "pwdFailureTime" not in log
    assert "pwdLastSuccess" not in log


def test_guessing_ends_for_a_minute_and_locks_out_nobody_for_longer(
    client: Client, campaign: Callable[..., int], say: Callable[[str], None]
) -> None:
    """Earlier failures are planted: 120 guesses within a minute need more of the processor than a test may have."""
    guesses, slowest = campaign(100_000, short=2000), 0.0
    with Guesser(client) as guesser, Guesser(client) as other:
        plant_failures(
            client, 118
        )  # one less than the wiki, the chat and the login page let one address make in a minute
        assert not guesser.logs_in("bob", WRONG)
        assert guesser.logs_in("bob", BOBS)  # one address locks out nobody, and a login clears the count
        plant_failures(client, 119)
        begun = time.monotonic()
        for number in range(guesses):
            assert not guesser.logs_in("bob", f"guess {number}")
            if number % 500 == 0:
                before = time.monotonic()
                assert other.logs_in("grace", MEMBERS["grace"])
                slowest = max(slowest, time.monotonic() - before)
        assert not guesser.logs_in("bob", BOBS)
        spent = time.monotonic() - begun
        say(f"{guesses} guesses in {spent:.0f} s; another member's slowest login meanwhile: {slowest * 1000:.0f} ms")
    wait_for("bob to log in", lambda: logs_in(client.collective, "bob", BOBS), timeout=75, pause=1)


def plant_failures(client: Client, count: int, dn: str = BOB) -> None:
    """Write failed logins, as slapd writes them, with the present time of its clock."""
    now = client.collective.execute("directory", "slapd", "date", "-u", "+%Y%m%d%H%M%S").stdout.strip()
    times = "".join(f"pwdFailureTime: {now}.{number:06}Z\n" for number in range(count))
    change = f"dn: {dn}\nchangetype: modify\nadd: pwdFailureTime\n{times}"
    manage(client.collective, "ldapmodify", change, "-e", "!relax")


@pytest.mark.parametrize("volume", [True, False], ids=["volume", "backup"])
def test_data_of_the_version_before_goes_on_working(client: Client, tmp_path: Path, *, volume: bool) -> None:
    """Its members keep passwords, groups and rights; the new rules hold for them too."""
    running = client.collective
    if volume:
        replace_volume(running, tmp_path)
    else:
        dump = (BEFORE / "members.ldif").read_bytes()
        (tmp_path / "members.ldif").write_bytes(dump)
        (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(dump).hexdigest()}  members.ldif\n")
        running.script("directory", "restore", str(tmp_path))
    assert running.script("directory", "verify").stdout == "2 members\n"
    old = Client(running, tmp_path, OLD)
    assert all(logs_in(running, uid, password) for uid, password in OLD.items())
    by_mail = old.search(TLS, PEOPLE, "(mail=grace@example.org)", "memberOf", uid="ada")
    assert f"memberOf: cn=cooks,{GROUPS}" in by_mail
    key = f"dn: uid=grace,{PEOPLE}\nchangetype: modify\nreplace: sshPublicKey\nsshPublicKey: {KEY}\n"
    assert old.run("ldapmodify", "-H", TLS, uid="grace", ldif=key).returncode == 0
    rules = manage(running, "ldapsearch", "", "-LLL", "-b", "cn=passwords,dc=collective")
    assert "pwdMinLength: 8" in rules
    assert "pwdMaxFailure: 120" in rules


def replace_volume(running: Collective, folder: Path) -> None:
    """Replace the data with a database that slapd makes with the configuration of the version before."""
    for name in ("slapd.conf", "members.ldif"):
        shutil.copy(BEFORE / name, folder)
    running.compose("directory", "stop")
    make = "rm -rf current log; mkdir current; slapadd -q -f /before/slapd.conf -l /before/members.ldif"
    run = ("run", "--rm", "--no-deps", "--workdir", "/var/lib/ldap", "--volume", f"{folder}:/before:ro")
    running.compose("directory", *run, "slapd", "sh", "-euc", f"{make}; chown -R openldap:openldap current")
    running.compose("directory", "up", "-d", "--wait")
