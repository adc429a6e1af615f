"""Members and groups as values, and checks of their names and passwords. Pure."""

import re
from dataclasses import dataclass

from darkpeak.errors import UsageError

UID = re.compile(r"[a-z][a-z0-9._-]{0,31}")
MAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")
SCHEME = re.compile(r"\{[A-Za-z0-9./_-]+\}")
SHORTEST_PASSWORD = 8


@dataclass(frozen=True, order=True)
class Member:
    """A person as every service knows them; `mail` may be empty."""

    uid: str
    name: str
    mail: str = ""


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
    """Raise UsageError if the directory cannot have this member."""
    check_uid(member.uid)
    if not member.name.strip() or not member.name.isprintable():
        raise UsageError(f"the full name of {member.uid} cannot be printed", hint="give one like 'Ada Lovelace'")
    if member.mail and not MAIL.fullmatch(member.mail):
        raise UsageError(
            f"{member.mail!r} is not a mail address", hint="write it like ada@example.org, or leave it out"
        )


def check_password(password: str) -> None:
    """Raise UsageError for a password that is too short, or that slapd would read as a hash."""
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError("the password is too short", hint=f"use {SHORTEST_PASSWORD} characters or more")
    if SCHEME.match(password) or "\0" in password:
        raise UsageError("the password looks like a hash", hint="choose one that does not begin with {NAME}")
