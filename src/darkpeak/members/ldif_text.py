"""Members and groups as LDIF, and back. Pure: text in, text out."""

from io import BytesIO

from ldif import LDIFParser, LDIFWriter  # type: ignore[import-untyped] # it has types, but no py.typed

from darkpeak.members.member import Group, Member

PEOPLE = "ou=people,dc=collective"
GROUPS = "ou=groups,dc=collective"
NOBODY = "cn=nobody,dc=collective"  # in every group: the schema requires a member

Entry = dict[str, list[str]]
Changes = list[tuple[int, str, list[str]]]
ADD, DELETE, REPLACE = 0, 1, 2  # as the ldif library counts them


def member_dn(uid: str) -> str:
    """Return the distinguished name of a member."""
    return f"uid={uid},{PEOPLE}"


def group_dn(name: str) -> str:
    """Return the distinguished name of a group."""
    return f"cn={name},{GROUPS}"


def make_member(member: Member, password: str) -> bytes:
    """Return LDIF that adds a member; slapd hashes the password."""
    entry: Entry = {
        "objectClass": ["inetOrgPerson"],
        "uid": [member.uid],
        "cn": [member.name],
        "sn": [member.name.split()[-1]],
        "userPassword": [password],
    }
    if member.mail:
        entry["mail"] = [member.mail]
    return write((member_dn(member.uid), entry))


def make_password(uid: str, password: str) -> bytes:
    """Return LDIF that gives a member a new password; slapd hashes it."""
    return write((member_dn(uid), [(REPLACE, "userPassword", [password])]))


def make_group(name: str, uid: str) -> bytes:
    """Return LDIF that adds a group with its first member."""
    return write((group_dn(name), {"objectClass": ["groupOfNames"], "cn": [name], "member": [NOBODY, member_dn(uid)]}))


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
    writer = LDIFWriter(text, base64_attrs=("userPassword", "cn", "sn"))
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


def parse_groups(text: bytes) -> list[Group]:
    """Return the groups of an answer, sorted by name."""
    return sorted(Group(entry["cn"][0], members_of(entry)) for entry in parse(text) if "cn" in entry)


def members_of(entry: Entry) -> tuple[str, ...]:
    """Return the uids of the members in a group's entry."""
    suffix = "," + PEOPLE
    names = (name for name in entry.get("member", []) if name.endswith(suffix))
    return tuple(sorted(name.removesuffix(suffix).removeprefix("uid=") for name in names))
