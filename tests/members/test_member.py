"""Which names, mail addresses and passwords the directory accepts."""

import pytest

from darkpeak.errors import UsageError
from darkpeak.members.member import Member, check_member, check_password, check_uid


@pytest.mark.parametrize("uid", ["a", "ada", "ada.l", "a-b_c.9", "a" * 32])
def test_a_valid_uid(uid: str) -> None:
    check_uid(uid)


@pytest.mark.parametrize(
    "uid", ["", "Ada", "9a", ".a", "ada,ou=groups", "ada)(uid=*", "a b", "ä", "ada\n", "a" * 33, "-a", "a/b", "a+b"]
)
def test_an_invalid_uid(uid: str) -> None:
    with pytest.raises(UsageError, match="is not valid as the name of a member"):
        check_uid(uid)


@pytest.mark.parametrize(
    "member",
    [
        Member("ada", ""),
        Member("ada", " "),
        Member("ada", "Ada\nuserPassword: x"),
        Member("ada", "Ada", "ada"),
        Member("ada", "Ada", "ada@example.org\n"),
        Member("ada", "Ada", "ada@b@c"),
        Member("ada", "Ada", "ädä@example.org"),
    ],
)
def test_an_invalid_member(member: Member) -> None:
    with pytest.raises(UsageError):
        check_member(member)


def test_a_member_needs_no_mail() -> None:
    check_member(Member("ada", "Ada Lovelace"))
    check_member(Member("zoe", "Zoë Müller", "zoe@example.org"))


@pytest.mark.parametrize("password", ["", "seven77", "{SSHA}abcdefgh", "{CLEARTEXT}secret", "eight\0888"])
def test_an_invalid_password(password: str) -> None:
    with pytest.raises(UsageError):
        check_password(password)


@pytest.mark.parametrize("password", ["eight888", "  spaces  ", "{not a scheme", "パスワードパスワ"])
def test_a_valid_password(password: str) -> None:
    check_password(password)
