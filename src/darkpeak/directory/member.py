"""What a member and a group are, and which names and passwords will do. Pure."""

import re
from dataclasses import dataclass

from darkpeak.errors import BadInput

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
    """Raise BadInput if this cannot be a member's (or a group's) name."""
    if not UID.fullmatch(uid):
        raise BadInput(
            f"{uid!r} cannot be a {what}'s name",
            mend="use up to 32 of a-z, 0-9, dot, underscore and hyphen, a letter first",
        )


def check_member(member: Member) -> None:
    """Raise BadInput if the directory could not hold this member."""
    check_uid(member.uid)
    if not member.name.strip() or not member.name.isprintable():
        raise BadInput(f"{member.uid} needs a name that can be printed", mend="give the full name, e.g. 'Ada Lovelace'")
    if member.mail and not MAIL.fullmatch(member.mail):
        raise BadInput(f"{member.mail!r} is no mail address", mend="write it as ada@example.org, or leave it out")


def check_password(password: str) -> None:
    """Raise BadInput for a password that is too short, or that slapd would take for a hash."""
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput("the password is too short", mend=f"use {SHORTEST_PASSWORD} characters or more")
    if SCHEME.match(password) or "\0" in password:
        raise BadInput("the password begins like a hash", mend="choose one that does not begin with {NAME}")
