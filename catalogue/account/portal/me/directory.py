"""The directory, asked and changed as the member who has logged in: its own rules decide what that member may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from unicodedata import normalize

import ldap
from ldap.controls.simple import ProxyAuthzControl
from ldap.dn import escape_dn_chars

from .ssh_key import Key, split_key

URI = "ldaps://directory"
PEOPLE = "ou=people,dc=collective"
LOGIN = "cn=page,ou=services,dc=collective"
PASSWORD = Path("/login/page")
CA = "/trust/ca.crt"
SECONDS = 10
_adding = Lock()  # two members at once could both have a key


class RefusedError(Exception):
    """The directory does not do it, and the text is a name in texts/."""


@dataclass(frozen=True)
class Member:
    """What the page shows of a member."""

    uid: str
    name: str
    mail: str
    keys: tuple[Key, ...]


def find(uid: str) -> Member:
    """Return what the directory has of the member."""
    with _connected() as connection:
        wanted = ["cn", "mail", "sshPublicKey"]
        answer = connection.search_ext_s(_dn(uid), ldap.SCOPE_BASE, attrlist=wanted, serverctrls=_as(uid))
    entry = {name: [value.decode(errors="replace") for value in values] for name, values in answer[0][1].items()}
    keys = tuple(split_key(line) for line in sorted(entry.get("sshPublicKey", [])))
    return Member(uid, entry.get("cn", [uid])[0], entry.get("mail", [""])[0], keys)


def set_name(uid: str, name: str) -> None:
    """Change the member's full name; `sn`, which the schema requires, is its last word."""
    words = name.split()
    if not words or not name.isprintable():
        raise RefusedError("name_bad")
    full = " ".join(words)
    _change(
        uid, [(ldap.MOD_REPLACE, "cn", [full.encode()]), (ldap.MOD_REPLACE, "sn", [words[-1].encode()])], "name_bad"
    )


def set_mail(uid: str, mail: str, password: str) -> None:
    """Change the member's mail address, to which links for a new password are sent: therefore with the password."""
    if not _is_password(uid, password):
        raise RefusedError("password_wrong")
    value = [mail.strip().encode()] if mail.strip() else []
    _change(uid, [(ldap.MOD_REPLACE, "mail", value)], "mail_bad")


def add_key(uid: str, key: Key) -> None:
    """Add an ssh key, unless somebody has it."""
    with _adding, _connected() as connection:
        with_keys = connection.search_ext_s(
            PEOPLE, ldap.SCOPE_ONELEVEL, "(sshPublicKey=*)", attrlist=["uid", "sshPublicKey"]
        )
        for _, entry in with_keys:
            if any(_same(key, line.decode(errors="replace")) for line in entry.get("sshPublicKey", [])):
                mine = entry["uid"][0].decode() == uid
                raise RefusedError("key_yours" if mine else "key_taken")
        _change(uid, [(ldap.MOD_ADD, "sshPublicKey", [key.line.encode()])], "key_refused")


def remove_key(uid: str, fingerprint: str) -> None:
    """Remove the member's key with this fingerprint; do nothing if it is gone already."""
    for key in find(uid).keys:
        if key.fingerprint == fingerprint:
            _change(uid, [(ldap.MOD_DELETE, "sshPublicKey", [key.line.encode()])], "key_refused")


def _same(key: Key, line: str) -> bool:
    other = split_key(line)
    return (key.kind, key.body) == (other.kind, other.body)


def _dn(uid: str) -> str:
    return f"uid={escape_dn_chars(uid)},{PEOPLE}"


def _as(uid: str) -> list[ProxyAuthzControl]:
    return [ProxyAuthzControl(criticality=True, authzId=f"dn:{_dn(uid)}".encode())]


def _change(uid: str, changes: list[tuple[int, str, list[bytes]]], otherwise: str) -> None:
    try:
        with _connected() as connection:
            connection.modify_ext_s(_dn(uid), changes, serverctrls=_as(uid))
    except (ldap.CONSTRAINT_VIOLATION, ldap.INVALID_SYNTAX, ldap.OBJECT_CLASS_VIOLATION) as error:
        raise RefusedError(otherwise) from error


def _is_password(uid: str, password: str) -> bool:
    connection = _connect()
    try:
        if password:  # without one, a bind succeeds as nobody
            connection.simple_bind_s(_dn(uid), normalize("NFC", password))
    except ldap.INVALID_CREDENTIALS:
        return False
    finally:
        connection.unbind_s()
    return bool(password)


@contextmanager
def _connected() -> Iterator[ldap.ldapobject.LDAPObject]:
    connection = _connect()
    try:
        connection.simple_bind_s(LOGIN, PASSWORD.read_text().strip())
        yield connection
    finally:
        connection.unbind_s()


def _connect() -> ldap.ldapobject.LDAPObject:
    connection = ldap.initialize(URI)
    for option, value in (
        (ldap.OPT_X_TLS_CACERTFILE, CA),
        (ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND),
        (ldap.OPT_REFERRALS, 0),
        (ldap.OPT_X_TLS_NEWCTX, 0),
        (ldap.OPT_NETWORK_TIMEOUT, SECONDS),
        (ldap.OPT_TIMEOUT, SECONDS),
    ):
        connection.set_option(option, value)
    return connection
