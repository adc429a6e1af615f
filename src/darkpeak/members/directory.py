"""Manage the directory with OpenLDAP's own programs, inside its container.

Root in the container manages the directory over slapd's local socket, so there is no manager's password. Members'
passwords are sent on standard input, and are never on a command line.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.members import ldif_text
from darkpeak.members.member import Group, Member, check_member, check_password, check_uid

__all__ = ["Directory", "Group", "Member", "Result", "Run"]

T = TypeVar("T")

SOCKET = ("-Q", "-Y", "EXTERNAL", "-H", "ldapi:///")
# With this control (permissive modify), adding a value that already exists is not an error.
PERMISSIVE = ("-e", "!1.2.840.113556.1.4.1413")

# LDAP result codes, which the programs return as their exit codes.
NO_SUCH_VALUE, NO_SUCH_OBJECT, ALREADY_EXISTS = 16, 32, 68


class Result(Protocol):
    """How a program in the container ended."""

    @property
    def code(self) -> int:
        """Its exit code."""

    @property
    def stdout(self) -> bytes:
        """Its standard output."""

    @property
    def stderr(self) -> bytes:
        """Its standard error."""


Run = Callable[[tuple[str, ...], bytes], Result]


def make_search(base: str, filter_: str, *attributes: str) -> tuple[str, ...]:
    """Return the command that searches below `base`."""
    return ("ldapsearch", *SOCKET, "-LLL", "-o", "ldif-wrap=no", "-b", base, filter_, *attributes)


class Directory:
    """Members and groups; `run` runs a program in the slapd container, with bytes on its standard input."""

    def __init__(self, run: Run) -> None:
        """Use `run` for every program."""
        self._run = run

    def members(self) -> list[Member]:
        """Return all members, sorted by uid."""
        return self._search_members("(objectClass=inetOrgPerson)")

    def groups(self) -> list[Group]:
        """Return all groups, sorted by name."""
        return self._search_groups("(objectClass=groupOfNames)")

    def add(self, member: Member, password: str) -> None:
        """Add a member.

        Raises:
            UsageError: when the member already exists, or when the name or the password is not valid.
            SystemFailure: when the directory does not do it.
        """
        check_member(member)
        check_password(password)
        result = self._run(("ldapadd", *SOCKET), ldif_text.make_member(member, password))
        if result.code == ALREADY_EXISTS:
            raise UsageError(
                f"the member {member.uid} already exists",
                hint=f"choose another name, or change the password: darkpeak member passwd {member.uid}",
            )
        require(result, f"{member.uid} was not added")

    def passwd(self, uid: str, password: str) -> None:
        """Give a member a new password.

        Raises:
            UsageError: when there is no such member, or when the password is not valid.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        check_password(password)
        result = self._run(("ldapmodify", *SOCKET), ldif_text.make_password(uid, password))
        if result.code == NO_SUCH_OBJECT:
            raise unknown_member(uid)
        require(result, f"the password of {uid} was not changed")

    def remove(self, uid: str) -> None:
        """Remove a member, first from the groups: a later member with this name must not get the rights.

        Raises:
            UsageError: when there is no such member.
            SystemFailure: when the directory does not do it.
        """
        self._require_member(uid)
        groups = [group.name for group in self._search_groups(f"(member={ldif_text.member_dn(uid)})")]
        if groups:
            result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_leave(groups, uid))
            require(result, f"{uid} was not removed from {', '.join(groups)}")
        result = self._run(("ldapdelete", *SOCKET, ldif_text.member_dn(uid)), b"")
        if result.code == NO_SUCH_OBJECT:
            raise unknown_member(uid)
        require(result, f"{uid} was not removed")

    def join(self, uid: str, group: str) -> None:
        """Add a member to a group; make the group if there is none, and change nothing if the member is in it.

        Raises:
            UsageError: when there is no such member.
            SystemFailure: when the directory does not do it.
        """
        check_uid(group, "group")
        self._require_member(uid)
        result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_join(group, uid))
        if result.code == NO_SUCH_OBJECT:
            result = self._run(("ldapadd", *SOCKET), ldif_text.make_group(group, uid))
        require(result, f"{uid} was not added to {group}")

    def leave(self, uid: str, group: str) -> None:
        """Remove a member from a group.

        Raises:
            UsageError: when the member is not in the group.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        check_uid(group, "group")
        result = self._run(("ldapmodify", *SOCKET, *PERMISSIVE), ldif_text.make_leave([group], uid))
        if result.code in (NO_SUCH_OBJECT, NO_SUCH_VALUE):
            raise UsageError(f"{uid} is not in the group {group}", hint="list the groups: darkpeak group list")
        require(result, f"{uid} was not removed from {group}")

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
            raise SystemFailure(f"the directory's answer is not LDIF: {error}") from error


def unknown_member(uid: str) -> UsageError:
    """Return the error for a member who does not exist."""
    return UsageError(f"there is no member {uid}", hint="list the members: darkpeak member list")


def require(result: Result, otherwise: str) -> None:
    """Raise SystemFailure, with the program's error, unless it succeeded."""
    if result.code != 0:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else f"exit code {result.code}"
        raise SystemFailure(f"{otherwise}: {reason}", hint="see why: darkpeak logs directory")
