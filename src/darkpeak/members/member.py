"""Members and groups as values, and checks of their names and passwords. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from darkpeak.errors import UsageError

UID = re.compile(r"[a-z][a-z0-9._-]{0,31}")
MAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")
SCHEME = re.compile(r"\{[^}]*\}")  # as in services/directory/slapd/slapd.conf
SHORTEST_PASSWORD = 8
# A service or a system gives these names a meaning, or people trust them. git's add-key has the same list.
RESERVED = frozenset(
    (
        *("abuse", "admin", "administrator", "admins", "all", "anonymous", "backup", "bin", "creator"),
        *("daemon", "everyone", "former-member", "ftp", "games", "git", "gitolite", "gitolite-admin"),
        *("gitolite3", "hostmaster", "info", "irc", "ldap", "list", "lp", "mail", "mailer-daemon", "man"),
        *("members", "news", "nobody", "noc", "noreply", "openldap", "operator", "owner", "postgres"),
        *("postmaster", "prosody", "proxy", "readers", "root", "security", "server", "sshd", "superuser"),
        *("support", "sync", "sys", "system", "usenet", "user", "users", "uucp", "webmaster", "writers"),
        *("www", "www-data"),
    )
)
# Control characters, lone surrogates, separators of lines and paragraphs: no keyboard types them.
UNTYPED = frozenset(("Cc", "Cs", "Zl", "Zp"))
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, order=True)
class Member:
    """A person as every service knows them; `mail` may be empty."""

    uid: str
    name: str
    mail: str = ""


@dataclass(frozen=True, order=True)
class Account(Member):
    """A member with all that the directory knows of them; `last_login` is a day, or empty."""

    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()  # lines of an authorized_keys file
    locked: bool = False
    last_login: str = ""


@dataclass(frozen=True, order=True)
class Group:
    """A group and the uids of its members, in order."""

    name: str
    members: tuple[str, ...]


def check_uid(uid: str, what: str = "member") -> None:
    """Raise UsageError if this is not valid as the name of a member (or a group)."""
    if not UID.fullmatch(uid):
        raise UsageError(
            f"{uid!r} is not valid as the name of a {what}",
            hint="use up to 32 of a-z, 0-9, dot, underscore and hyphen; begin with a letter",
        )


def check_member(member: Member) -> None:
    """Raise UsageError if this member cannot be added to the directory."""
    check_uid(member.uid)
    if not member.uid[-1].isalnum():
        raise UsageError(f"{member.uid!r} is not valid as the name of a member", hint="end with a letter or a digit")
    if member.uid in RESERVED:
        hint = "choose a name that belongs to one person, such as ada or ada.lovelace"
        raise UsageError(
            f"the name {member.uid} is reserved: services or people could mistake it for another", hint=hint
        )
    if not member.name.strip() or not member.name.isprintable():
        raise UsageError(f"the full name of {member.uid} cannot be printed", hint="give one like 'Ada Lovelace'")
    if member.mail and not MAIL.fullmatch(member.mail):
        raise UsageError(
            f"{member.mail!r} is not a mail address", hint="write it like ada@example.org, or leave it out"
        )


def prepare_password(password: str) -> str:
    """Return a password as the directory gets it: in Unicode's form NFC, as RFC 8265 says.

    Keyboards and programs write "é" as one character or as two; services compose what members type, too.

    Raises:
        UsageError: when it is too short, cannot be typed, or looks like a hash to slapd.
    """
    password = unicodedata.normalize("NFC", password)
    for position, character in enumerate(password, start=1):
        if unicodedata.category(character) in UNTYPED or character == BYTE_ORDER_MARK:
            what = f"character {position} of the password (U+{ord(character):04X}) is a control character"
            raise UsageError(
                what, hint="members cannot type it; a terminal, a file or a program added it: leave it out"
            )
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError("the password is too short", hint=f"use {SHORTEST_PASSWORD} characters or more")
    if SCHEME.match(password):
        raise UsageError("the password looks like a hash", hint="choose one that does not begin with {…}")
    return password


def parse_password(line: bytes) -> str:
    """Return the password of a line: all of it but one line ending, which may be that of Windows.

    Raises:
        UsageError: when it is not UTF-8.
    """
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            "the password is not UTF-8", hint="use a terminal or a file with the encoding UTF-8"
        ) from error
