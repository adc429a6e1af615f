"""The directory: members with their passwords, and groups."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PEOPLE = "ou=people,dc=collective"
ADMINS = "cn=admins,ou=groups,dc=collective"
INVALID_CREDENTIALS = 49
PERMISSIVE = "!1.2.840.113556.1.4.1413"  # with it, adding a value that already exists is not an error
MEMBERS = {"ada": "engine-1843 æøå", "grace": "compiler: 1952"}


def write(collective: Collective) -> dict[str, str]:
    for uid, password in MEMBERS.items():
        add_member(collective, uid, password)
    change = f"dn: {ADMINS}\nchangetype: modify\nadd: member\nmember: uid=ada,{PEOPLE}\n"
    manage(collective, "ldapmodify", change, "-e", PERMISSIVE)
    return MEMBERS


def check(collective: Collective, written: dict[str, str]) -> None:
    for uid, password in written.items():
        assert logs_in(collective, uid, password)
        assert not logs_in(collective, uid, password + "x")
    group = manage(collective, "ldapsearch", "", "-b", ADMINS, "-s", "base", "-LLL", "member")
    assert f"member: uid=ada,{PEOPLE}" in group.splitlines()


def add_member(collective: Collective, uid: str, password: str) -> None:
    """Add a member with plain LDAP, if there is none with that name."""
    entry = f"dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\ncn: {uid.title()}\nsn: {uid.title()}\n"
    secret = base64.b64encode(password.encode()).decode()
    if f"uid={uid},{PEOPLE}" not in manage(collective, "ldapsearch", "", "-b", PEOPLE, "-LLL", "uid"):
        manage(collective, "ldapadd", f"{entry}uid: {uid}\nuserPassword:: {secret}\n")
    assert logs_in(collective, uid, password)


def manage(collective: Collective, program: str, ldif: str, *arguments: str) -> str:
    """Run an LDAP program as the directory's manager, which is root in its container."""
    argv = (program, "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", *arguments)
    return collective.execute("directory", "slapd", *argv, stdin=ldif).stdout


def logs_in(collective: Collective, uid: str, password: str) -> bool:
    """Return whether the directory accepts a member's password, over TLS with a verified certificate."""
    argv = ("env", "LDAPTLS_CACERT=/ca/ca.crt", "ldapwhoami", "-x", "-H", "ldaps://directory", "-y", "/dev/stdin")
    who = ("-D", f"uid={uid},{PEOPLE}")
    result = collective.execute("directory", "slapd", *argv, *who, stdin=password, check=False)
    assert result.returncode in {0, INVALID_CREDENTIALS}, result.stderr
    return not result.returncode


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Add members all the time."""

    def join(number: int) -> str:
        uid = f"joined{number}"
        entry = f"dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\ncn: {uid}\nsn: {uid}\nuid: {uid}\n"
        manage(collective, "ldapadd", entry)
        return uid

    with under(join) as load:
        yield load


def found(collective: Collective) -> set[str]:
    """Return the members who were added."""
    said = manage(collective, "ldapsearch", "", "-b", PEOPLE, "-LLL", "(uid=joined*)", "uid")
    return {line.removeprefix("uid: ") for line in said.splitlines() if line.startswith("uid: ")}
