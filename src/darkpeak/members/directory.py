"""Manage the directory with OpenLDAP's own programs, inside its container.

Root in the container manages the directory over slapd's local socket, so there is no manager's password. Members'
passwords are sent on standard input, and are never on a command line.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.members import ldif_text, log
from darkpeak.members.admin_groups import PREFIX, GroupChange, find_changes
from darkpeak.members.bulk import Step
from darkpeak.members.member import UID, Account, Group, Member, check_member, check_uid, prepare_password
from darkpeak.members.programs import (
    ALREADY_EXISTS,
    NO_SUCH_OBJECT,
    NO_SUCH_VALUE,
    NOT_UNIQUE,
    PERMISSIVE,
    SOCKET,
    Result,
    Run,
    make_search,
    require,
    require_unique,
    unknown_member,
)
from darkpeak.members.ssh_key import Key, parse_key

__all__ = ["Directory", "Group", "Member", "Result", "Run"]

T = TypeVar("T")


class Directory:
    """Members and groups; `run` runs a program in the slapd container, with bytes on its standard input."""

    def __init__(self, run: Run, who: str = "") -> None:
        """Use `run` for every program; the log of changes names `who`."""
        self._run = run
        self._who = ("-e", f"sessiontracking={who}") if who else ()

    def members(self) -> list[Member]:
        """Return all members, sorted by uid."""
        return self._search_members("(objectClass=inetOrgPerson)")

    def groups(self) -> list[Group]:
        """Return all groups, sorted by name."""
        return self._search_groups("(objectClass=groupOfNames)")

    def account(self, uid: str) -> Account:
        """Return a member with all that the directory knows of them.

        Raises:
            UsageError: when there is no such member.
            SystemFailure: when the directory does not answer.
        """
        check_uid(uid)
        command = make_search(ldif_text.PEOPLE, f"(uid={uid})", *ldif_text.ACCOUNT)
        found = self._answer(command, ldif_text.parse_accounts)
        if not found:
            raise unknown_member(uid)
        return found[0]

    def accounts(self) -> list[Account]:
        """Return all members with all that the directory knows of them, sorted by uid."""
        command = make_search(ldif_text.PEOPLE, "(objectClass=inetOrgPerson)", *ldif_text.ACCOUNT)
        return self._answer(command, ldif_text.parse_accounts)

    def changes(self, uid: str = "") -> list[log.Change]:
        """Return who changed what in the last 90 days, the oldest first: of one member, or of all."""
        if uid:
            check_uid(uid)
        filter_ = f"(reqDN={ldif_text.member_dn(uid)})" if uid else "(reqDN=*)"
        return self._answer(make_search(log.LOG, filter_, *log.ATTRIBUTES), log.parse_log)

    def add(self, member: Member, password: str = "") -> None:
        """Add a member; without a password, nobody can log in as this member.

        Raises:
            UsageError: when the member already exists, or when the name or the password is not valid.
            SystemFailure: when the directory does not do it.
        """
        check_member(member)
        if password:
            password = prepare_password(password)
        result = self._run(("ldapadd", *SOCKET, *self._who), ldif_text.make_member(member, password))
        if result.code == ALREADY_EXISTS:
            raise UsageError(
                f"the member {member.uid} already exists",
                hint=f"choose another name, or change the password: darkpeak member passwd {member.uid}",
            )
        require_unique(result, member)
        require(result, f"{member.uid} was not added")

    def change(self, member: Member) -> None:
        """Give an existing member another full name and mail address.

        Raises:
            UsageError: when there is no such member, or when another member has the mail address.
            SystemFailure: when the directory does not do it.
        """
        check_member(member)
        self._modify(member.uid, ldif_text.make_changed(member), member)

    def rename(self, uid: str, new: str) -> None:
        """Give a member another uid, also in all groups.

        Raises:
            UsageError: when there is no such member, or when the new name is not valid or belongs to another member.
            SystemFailure: when the directory does not do it.
        """
        self._require_member(uid)
        check_member(Member(new, new))
        argv = ("ldapmodrdn", *SOCKET, *self._who, "-r", ldif_text.member_dn(uid), f"uid={new}")
        result = self._run(argv, b"")
        if result.code in (ALREADY_EXISTS, NOT_UNIQUE):
            raise UsageError(f"the member {new} already exists", hint="choose another name")
        require(result, f"{uid} was not renamed")

    def lock(self, uid: str, *, locked: bool = True) -> None:
        """Lock a member, so that no password is right, or unlock; change nothing if that is so already.

        Raises:
            UsageError: when there is no such member.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        self._modify(uid, ldif_text.make_lock(uid, locked=locked))

    def keys(self, uid: str) -> list[Key]:
        """Return the ssh keys of a member; raises UsageError when there is no such member."""
        return [parse_key(line) for line in self.account(uid).keys]

    def add_ssh_key(self, uid: str, key: Key) -> None:
        """Add an ssh key of a member; change nothing if they have it already.

        Raises:
            UsageError: when there is no such member, or when another member has this key.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        for account in self.accounts():
            if any(line.split()[:2] == [key.kind, key.body] for line in account.keys):
                if account.uid == uid:
                    return
                raise UsageError(f"{account.uid} has this key already", hint="a key belongs to one member")
        self._modify(uid, ldif_text.make_key(uid, key.line, there=True))

    def remove_ssh_key(self, uid: str, fingerprint: str) -> Key:
        """Remove an ssh key of a member, and return it.

        Raises:
            UsageError: when there is no such member, or no key with this fingerprint.
            SystemFailure: when the directory does not do it.
        """
        for key in self.keys(uid):
            if key.fingerprint == fingerprint:
                self._modify(uid, ldif_text.make_key(uid, key.line, there=False))
                return key
        what = f"{uid} has no key with the fingerprint {fingerprint}"
        raise UsageError(what, hint=f"list the keys: darkpeak member ssh-key list {uid}")

    def take(self, steps: Sequence[Step]) -> None:
        """Carry out the steps of an import, in their order; the first that fails ends it."""
        for step in steps:
            if step.add:
                self.add(step.add)
            elif step.change:
                self.change(step.change)
            elif step.group:
                self.join(step.uid, step.group)
            else:
                self.add_ssh_key(step.uid, parse_key(step.key))

    def _modify(self, uid: str, ldif: bytes, member: Member | None = None) -> None:
        result = self._run(("ldapmodify", *SOCKET, *self._who), ldif)
        if result.code == NO_SUCH_OBJECT:
            raise unknown_member(uid)
        if member:
            require_unique(result, member)
        require(result, f"{uid} was not changed")

    def passwd(self, uid: str, password: str) -> None:
        """Give a member a new password.

        Raises:
            UsageError: when there is no such member, or when the password is not valid.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        password = prepare_password(password)
        result = self._run(("ldapmodify", *SOCKET, *self._who), ldif_text.make_password(uid, password))
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
            result = self._run(("ldapmodify", *SOCKET, *self._who, *PERMISSIVE), ldif_text.make_leave(groups, uid))
            require(result, f"{uid} was not removed from {', '.join(groups)}")
        result = self._run(("ldapdelete", *SOCKET, *self._who, ldif_text.member_dn(uid)), b"")
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
        result = self._run(("ldapmodify", *SOCKET, *self._who, *PERMISSIVE), ldif_text.make_join(group, uid))
        if result.code == NO_SUCH_OBJECT:
            result = self._run(("ldapadd", *SOCKET, *self._who), ldif_text.make_group(group, uid))
        require(result, f"{uid} was not added to {group}")

    def leave(self, uid: str, group: str) -> None:
        """Remove a member from a group.

        Raises:
            UsageError: when the member is not in the group.
            SystemFailure: when the directory does not do it.
        """
        check_uid(uid)
        check_uid(group, "group")
        result = self._run(("ldapmodify", *SOCKET, *self._who, *PERMISSIVE), ldif_text.make_leave([group], uid))
        if result.code in (NO_SUCH_OBJECT, NO_SUCH_VALUE):
            raise UsageError(f"{uid} is not in the group {group}", hint="list the groups: darkpeak group list")
        require(result, f"{uid} was not removed from {group}")

    def add_group(self, name: str) -> None:
        """Add a group without members.

        Raises:
            UsageError: when the group already exists.
            SystemFailure: when the directory does not do it.
        """
        check_uid(name, "group")
        result = self._run(("ldapadd", *SOCKET, *self._who), ldif_text.make_group(name))
        if result.code == ALREADY_EXISTS:
            raise UsageError(f"the group {name} already exists", hint=f"add a member: darkpeak group join {name} UID")
        require(result, f"the group {name} was not added")

    def remove_group(self, name: str) -> None:
        """Remove a group; its members stay members.

        Raises:
            UsageError: when there is no such group.
            SystemFailure: when the directory does not do it.
        """
        check_uid(name, "group")
        result = self._run(("ldapdelete", *SOCKET, *self._who, ldif_text.group_dn(name)), b"")
        if result.code == NO_SUCH_OBJECT:
            raise UsageError(f"there is no group {name}", hint="list the groups: darkpeak group list")
        require(result, f"the group {name} was not removed")

    def find_admin_changes(self, admins: Mapping[str, Sequence[str]]) -> tuple[GroupChange, ...]:
        """Return what makes the groups of the services' admins match the compose files.

        Raises:
            SystemFailure: when the directory does not answer.
        """
        names = sorted({name for group in admins.values() for name in group if UID.fullmatch(name)})
        people = "".join(f"(uid={name})" for name in names)
        members = self._search_members(f"(|{people})") if names else []
        groups = self._search_groups(f"(&(objectClass=groupOfNames)(cn={PREFIX}*))")
        return find_changes(admins, groups, (member.uid for member in members))

    def change_group(self, change: GroupChange) -> None:
        """Carry out a change of a group; raises SystemFailure when the directory does not do it."""
        if change.new:
            command, ldif = "ldapadd", ldif_text.make_group(change.name, *change.add)
        else:
            command, ldif = "ldapmodify", ldif_text.make_members(change.name, change.add, change.remove)
        permissive = () if change.new else PERMISSIVE
        result = self._run((command, *SOCKET, *self._who, *permissive), ldif)
        require(result, f"the group {change.name} was not changed")

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
