"""Members and groups as LDIF."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkpeak.members import ldif_text
from darkpeak.members.member import Group, Member


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_member_is_one_record() -> None:
    made = ldif_text.make_member(Member("ada", "Ada Lovelace", "ada@example.org"), "correct horse").decode()
    assert made.splitlines() == [
        "dn: uid=ada,ou=people,dc=collective",
        "objectClass: inetOrgPerson",
        "objectClass: ldapPublicKey",
        "uid: ada",
        f"cn:: {b64('Ada Lovelace')}",
        f"sn:: {b64('Lovelace')}",
        "mail: ada@example.org",
        f"userPassword:: {b64('correct horse')}",
        "",
    ]


def test_a_password_is_replaced() -> None:
    assert ldif_text.make_password("ada", "correct horse").decode().splitlines() == [
        "dn: uid=ada,ou=people,dc=collective",
        "changetype: modify",
        "replace: userPassword",
        f"userPassword:: {b64('correct horse')}",
        "-",
        "",
    ]


def test_a_group_that_loses_a_member_keeps_the_placeholder() -> None:
    made = ldif_text.make_leave(["admins", "cooks"], "ada").decode()
    assert made.split("\n\n")[1].splitlines() == [
        "dn: cn=cooks,ou=groups,dc=collective",
        "changetype: modify",
        "add: member",
        "member: cn=nobody,dc=collective",
        "-",
        "delete: member",
        "member: uid=ada,ou=people,dc=collective",
        "-",
    ]


@given(name=st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable()), password=st.text(min_size=8))
def test_names_and_passwords_cannot_inject_ldif(name: str, password: str) -> None:
    made = ldif_text.make_member(Member("ada", name), password)
    [entry] = ldif_text.parse(made)
    assert entry["cn"] == [name]
    assert entry["userPassword"] == [password]
    assert list(entry) == ["objectClass", "uid", "cn", "sn", "userPassword"]


def test_members_are_read_sorted() -> None:
    answer = f"""dn: uid=grace,ou=people,dc=collective
uid: grace
cn: Grace Hopper

dn: uid=ada,ou=people,dc=collective
uid: ada
cn:: {b64("Ada Lovelacé")}
mail: ada@example.org
"""
    assert ldif_text.parse_members(answer.encode()) == [
        Member("ada", "Ada Lovelacé", "ada@example.org"),
        Member("grace", "Grace Hopper"),
    ]


def test_groups_are_read_without_the_placeholder() -> None:
    answer = b"""dn: cn=admins,ou=groups,dc=collective
cn: admins
member: cn=nobody,dc=collective
member: uid=grace,ou=people,dc=collective
member: uid=ada,ou=people,dc=collective

dn: cn=empty,ou=groups,dc=collective
cn: empty
member: cn=nobody,dc=collective
"""
    assert ldif_text.parse_groups(answer) == [Group("admins", ("ada", "grace")), Group("empty", ())]


def test_no_entries_are_no_members() -> None:
    assert ldif_text.parse_members(b"") == []


def test_what_is_not_ldif_is_an_error() -> None:
    with pytest.raises(ValueError, match="dn:"):
        ldif_text.parse(b"Segmentation fault: core dumped\n")
