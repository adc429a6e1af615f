"""Which names, mail addresses and passwords the directory accepts."""

import unicodedata

import pytest

from darkpeak.errors import UsageError
from darkpeak.members.member import Member, check_member, check_uid, parse_password, prepare_password


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


@pytest.mark.parametrize("uid", ["root", "admin", "admins", "nobody", "daemon", "all", "git", "gitolite", "postmaster"])
def test_a_reserved_name_cannot_be_added_but_removed(uid: str) -> None:
    with pytest.raises(UsageError, match=f"the name {uid} is reserved"):
        check_member(Member(uid, "Eve"))
    check_uid(uid)


@pytest.mark.parametrize("uid", ["ada.", "ada-", "ada_", "a.."])
def test_a_name_ends_with_a_letter_or_a_digit(uid: str) -> None:
    with pytest.raises(UsageError, match="is not valid") as refused:
        check_member(Member(uid, "Ada"))
    assert refused.value.hint == "end with a letter or a digit"


@pytest.mark.parametrize("password", ["", "seven77"])
def test_a_short_password(password: str) -> None:
    with pytest.raises(UsageError, match="too short"):
        prepare_password(password)


@pytest.mark.parametrize("scheme", ["{SSHA}", "{CLEARTEXT}", "{cleartext}", "{}", "{ARGON2}", "{my scheme}", "{é}"])
def test_a_password_like_a_hash(scheme: str) -> None:
    with pytest.raises(UsageError, match="looks like a hash"):
        prepare_password(f"{scheme}abcdefgh")


@pytest.mark.parametrize("character", ["\0", "\r", "\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff"])
@pytest.mark.parametrize("password", ["{}abcdefgh", "abcd{}efgh", "abcdefgh{}"])
def test_a_character_that_nobody_typed(character: str, password: str) -> None:
    with pytest.raises(UsageError, match="is a control character") as refused:
        prepare_password(password.format(character))
    assert "abcd" not in str(refused.value)


@pytest.mark.parametrize(
    "password", ["eight888", "  spaces  ", "{not a scheme", "パスワードパスワ", "👩\u200d💻 at work", "no\xa0break"]
)
def test_a_valid_password(password: str) -> None:
    assert prepare_password(password) == password


@pytest.mark.parametrize("password", ["Zoë's café", "パスワードパスワ", "tiếng Việt", "한글 비밀번호입니다"])
def test_a_password_is_the_same_from_every_keyboard(password: str) -> None:
    decomposed = unicodedata.normalize("NFD", password)
    assert decomposed != password
    assert prepare_password(decomposed) == password


def test_a_password_is_measured_as_it_is_stored() -> None:
    with pytest.raises(UsageError, match="too short"):
        prepare_password("e\u0301" * 7)


@pytest.mark.parametrize(
    ("line", "password"),
    [
        (b"windows12\r\n", "windows12"),
        (b"unix12345\n", "unix12345"),
        (b"no ending", "no ending"),
        (b" spaces  \n", " spaces  "),
        (b"two endings\r\r\n", "two endings\r"),
        (b"a tab\t\n", "a tab\t"),
        ("pæssword\n".encode(), "pæssword"),
        (b"\r\n", ""),
    ],
)
def test_exactly_one_line_ending_is_not_part_of_the_password(line: bytes, password: str) -> None:
    assert parse_password(line) == password


def test_a_password_that_is_not_utf8() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        parse_password("pæssword\n".encode("latin-1"))
