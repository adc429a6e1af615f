"""The door to the directory: OpenLDAP's own programs, run inside its container.

Root in there manages the directory over slapd's local socket, so no password of a manager exists; members'
passwords go in on stdin, and never appear on a command line.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.members import ldif_text
from darkpeak.members.member import Group, Member, check_member, check_password, check_uid

__all__ = ["Directory", "Group", "Member", "Result", "Run"]

T = TypeVar("T")

SOCKET = ("-Q", "-Y", "EXTERNAL", "-H", "ldapi:///")
# Adding a value that is there already is no error (the permissive modify control).
PERMISSIVE = ("-e", "!1.2.840.113556.1.4.1413")

# LDAP result codes, which the programs return as their exit codes.
NO_SUCH_VALUE, NO_SUCH_OBJECT, ALREADY_EXISTS = 16, 32, 68


class Result(Protocol):
    """What a program in the container has answered."""

    @property
    def code(self) -> int:
        """Its exit code."""

    @property
    def stdout(self) -> bytes:
        """What it printed."""

    @property
    def stderr(self) -> bytes:
        """What it complained about."""


Run = Callable[[tuple[str, ...], bytes], Result]


def make_search(base: str, filter_: str, *attributes: str) -> tuple[str, ...]:
    """Return the command that searches below `base`."""
    return ("ldapsearch", *SOCKET, "-LLL", "-o", "ldif-wrap=no", "-b", base, filter_, *attributes)


class Directory:
    """Members and groups, through `run`, which runs a program in the slapd container with a stdin."""

    def __init__(self, run: Run) -> None:
        """Take the way into the container."""
        self._run = run

    def members(self) -> list[Member]:
        """Return all members, sorted by uid."""
        return self._search_members("(objectClass=inetOrgPerson)")

    def groups(self) -> list[Group]:
        """Return all groups, sorted by name."""
        return self._search_groups("(objectClass=groupOfNames)")

    def add(self, member: Member, password: str) -> None:
        """Add a member."""
        check_member(member)
        check_password(password)
        result = self._run(("ldapadd", *SOCKET), ldif_text.make_member(member, password))
        if result.code == ALREADY_EXISTS:
            raise UsageError(
                f"there is a member {member.uid} already",
                hint=f"choose another name, or see `darkpeak member passwd {member.uid}`",
            )
        require(result, f"{member.uid} was not added")

    def passwd(self, uid: str, password: str) -> None:
        """Give a member another password."""
        check_uid(uid)
        check_password(password)
        result = self._run(("ldapmodify", *SOCKET), ldif_text.make_password(uid, password))
        if result.code == NO_SUCH_OBJECT:
            raise unknown_member(uid)
        require(result, f"the password of {uid} was not changed")

    def remove(self, uid: str) -> None:
        """Remove a member, from the groups first: whoever gets this name later must not inherit their rights."""
        self._require_member(uid)
        groups = [group.name for group in self._search_groups(f"(member={ldif_text.member_dn(uid)})")]
        if groups:
            result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_leave(groups, uid))
            require(result, f"{uid} was not taken out of {', '.join(groups)}")
        result = self._run(("ldapdelete", *SOCKET, ldif_text.member_dn(uid)), b"")
        if result.code == NO_SUCH_OBJECT:
            raise unknown_member(uid)
        require(result, f"{uid} was not removed")

    def join(self, uid: str, group: str) -> None:
        """Put a member into a group, which is made if there is none; nothing changes if they are in it."""
        check_uid(group, "group")
        self._require_member(uid)
        result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_join(group, uid))
        if result.code == NO_SUCH_OBJECT:
            result = self._run(("ldapadd", *SOCKET), ldif_text.make_group(group, uid))
        require(result, f"{uid} was not put into {group}")

    def leave(self, uid: str, group: str) -> None:
        """Take a member out of a group."""
        check_uid(uid)
        check_uid(group, "group")
        result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_leave([group], uid))
        if result.code in (NO_SUCH_OBJECT, NO_SUCH_VALUE):
            raise UsageError(f"{uid} is not in the group {group}")
        require(result, f"{uid} was not taken out of {group}")

    def _require_member(self, uid: str) -> None:
        check_uid(uid)
        if not self._search_members(f"(uid={uid})"):
            raise unknown_member(uid)

    def _search_members(self, filter_: str) -> list[Member]:
        command = make_search(ldif_text.PEOPLE, filter_, "uid", "cn", "mail")
        return self._answer(command, ldif_text.parse_members)

    def _search_groups(self, filter_: str) -> list[Group]:
        command = make_search(ldif_text.GROUPS, filter_, "cn", "member")
        return self._answer(command, ldif_text.parse_groups)

    def _answer(self, command: tuple[str, ...], parse: Callable[[bytes], list[T]]) -> list[T]:
        result = self._run(command, b"")
        require(result, "the directory does not answer")
        try:
            return parse(result.stdout)
        except ValueError as error:
            raise SystemFailure(f"the directory does not answer in LDIF: {error}") from error


def unknown_member(uid: str) -> UsageError:
    """Return the error for a member who does not exist."""
    return UsageError(f"there is no member {uid}", hint="see who there is with `darkpeak member list`")


def require(result: Result, otherwise: str) -> None:
    """Raise SystemFailure, with what the program said, unless it has succeeded."""
    if result.code != 0:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {result.code}"
        raise SystemFailure(
            f"{otherwise}: {reason}", hint="see whether slapd runs and what it says: darkpeak logs directory"
        )
