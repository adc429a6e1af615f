"""Members and groups as LDIF, and back. Pure: text in, text out."""

from collections.abc import Sequence
from io import BytesIO

from ldif import LDIFParser, LDIFWriter  # type: ignore[import-untyped] # it has types, but no py.typed

from darkpeak.members.member import Account, Group, Member

PEOPLE = "ou=people,dc=collective"
GROUPS = "ou=groups,dc=collective"
NOBODY = "cn=nobody,dc=collective"  # in every group: the schema requires a member
MANAGER = "cn=manager,dc=collective"  # root in the container
FOREVER = "000001010000Z"  # pwdAccountLockedTime of a member who was locked by an admin
ACCOUNT = ("uid", "cn", "mail", "memberOf", "sshPublicKey", "pwdAccountLockedTime", "pwdLastSuccess")

Entry = dict[str, list[str]]
Changes = list[tuple[int, str, list[str]]]
ADD, DELETE, REPLACE = 0, 1, 2  # as the ldif library counts them


def member_dn(uid: str) -> str:
    """Return the distinguished name of a member."""
    return f"uid={uid},{PEOPLE}"


def group_dn(name: str) -> str:
    """Return the distinguished name of a group."""
    return f"cn={name},{GROUPS}"


def make_member(member: Member, password: str = "") -> bytes:
    """Return LDIF that adds a member; slapd hashes the password. Without a password, nobody can log in."""
    entry = _entry(member)
    if password:
        entry["userPassword"] = [password]
    return write((member_dn(member.uid), entry))


def _entry(member: Member) -> Entry:
    entry: Entry = {
        "objectClass": ["inetOrgPerson", "ldapPublicKey"],
        "uid": [member.uid],
        "cn": [member.name],
        "sn": [member.name.split()[-1]],
    }
    return {**entry, "mail": [member.mail]} if member.mail else entry


def make_people(accounts: Sequence[Account]) -> bytes:
    """Return members as LDIF without passwords."""
    return b"".join(_person(account) for account in accounts)


def _person(account: Account) -> bytes:
    entry = _entry(account)
    if account.keys:
        entry["sshPublicKey"] = list(account.keys)
    return write((member_dn(account.uid), entry))


def make_groups(accounts: Sequence[Account]) -> bytes:
    """Return the groups of members as LDIF."""
    names = sorted({group for account in accounts for group in account.groups})
    return b"".join(make_group(name, *(one.uid for one in accounts if name in one.groups)) for name in names)


def make_changed(member: Member) -> bytes:
    """Return LDIF that gives an existing member this full name and mail address."""
    changes: Changes = [
        (REPLACE, "cn", [member.name]),
        (REPLACE, "sn", [member.name.split()[-1]]),
        (REPLACE, "mail", [member.mail] if member.mail else []),
    ]
    return write((member_dn(member.uid), changes))


def make_password(uid: str, password: str) -> bytes:
    """Return LDIF that gives a member a new password; slapd hashes it."""
    return write((member_dn(uid), [(REPLACE, "userPassword", [password])]))


def make_lock(uid: str, *, locked: bool) -> bytes:
    """Return LDIF that locks a member, so that no password is right, or unlocks."""
    return write((member_dn(uid), [(REPLACE, "pwdAccountLockedTime", [FOREVER] if locked else [])]))


def make_key(uid: str, line: str, *, there: bool) -> bytes:
    """Return LDIF that adds an ssh key of a member, or removes it."""
    return write((member_dn(uid), [(ADD if there else DELETE, "sshPublicKey", [line])]))


def make_group(name: str, *uids: str) -> bytes:
    """Return LDIF that adds a group with its first members."""
    members = [NOBODY, *map(member_dn, uids)]
    return write((group_dn(name), {"objectClass": ["groupOfNames"], "cn": [name], "member": members}))


def make_members(name: str, add: Sequence[str], remove: Sequence[str]) -> bytes:
    """Return LDIF that adds members to an existing group, and removes others."""
    changes: Changes = [(ADD, "member", [NOBODY, *map(member_dn, add)])]
    if remove:
        changes.append((DELETE, "member", list(map(member_dn, remove))))
    return write((group_dn(name), changes))


def make_join(name: str, uid: str) -> bytes:
    """Return LDIF that adds a member to an existing group."""
    return write((group_dn(name), [(ADD, "member", [member_dn(uid)])]))


def make_leave(names: list[str], uid: str) -> bytes:
    """Return LDIF that removes a member from groups, and adds NOBODY so that no group is empty."""
    changes: Changes = [(ADD, "member", [NOBODY]), (DELETE, "member", [member_dn(uid)])]
    return write(*((group_dn(name), changes) for name in names))


def write(*records: tuple[str, Entry | Changes]) -> bytes:
    """Return records as LDIF; values that may have any character are in base64."""
    text = BytesIO()
    writer = LDIFWriter(text, base64_attrs=("userPassword", "cn", "sn", "sshPublicKey"))
    for name, record in records:
        writer.unparse(name, record)
    return text.getvalue()


def parse(text: bytes) -> list[Entry]:
    """Return the entries of an answer.

    Raises:
        ValueError: when it is not LDIF.
    """
    return [entry for _, entry in LDIFParser(BytesIO(text)).parse()]


def parse_members(text: bytes) -> list[Member]:
    """Return the members of an answer, sorted by uid."""
    return sorted(
        Member(entry["uid"][0], entry["cn"][0], entry.get("mail", [""])[0]) for entry in parse(text) if "uid" in entry
    )


def parse_accounts(text: bytes) -> list[Account]:
    """Return the members of an answer with all that the directory knows of them, sorted by uid."""
    return sorted(_account(entry) for entry in parse(text) if "uid" in entry)


def _account(entry: Entry) -> Account:
    last = entry.get("pwdLastSuccess", [""])[0]
    return Account(
        uid=entry["uid"][0],
        name=entry["cn"][0],
        mail=entry.get("mail", [""])[0],
        groups=tuple(sorted(dn.removeprefix("cn=").removesuffix("," + GROUPS) for dn in entry.get("memberOf", []))),
        keys=tuple(sorted(entry.get("sshPublicKey", []))),
        locked=FOREVER in entry.get("pwdAccountLockedTime", []),
        last_login=f"{last[:4]}-{last[4:6]}-{last[6:8]}" if last else "",
    )


def parse_groups(text: bytes) -> list[Group]:
    """Return the groups of an answer, sorted by name."""
    return sorted(Group(entry["cn"][0], members_of(entry)) for entry in parse(text) if "cn" in entry)


def members_of(entry: Entry) -> tuple[str, ...]:
    """Return the uids of the members in a group's entry."""
    suffix = "," + PEOPLE
    names = (name for name in entry.get("member", []) if name.endswith(suffix))
    return tuple(sorted(name.removesuffix(suffix).removeprefix("uid=") for name in names))
