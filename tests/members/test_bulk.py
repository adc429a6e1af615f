"""Import and export of many members: what a file wants, and what would change."""

import pytest

from darkpeak.errors import UsageError
from darkpeak.members.bulk import make_csv, make_ldif, parse_file, plan_import
from darkpeak.members.member import Account

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ada at home"
ADA = Account("ada", "Ada Lovelace", "ada@example.org", ("admins", "cooks"), (KEY,))
GRACE = Account("grace", "Grace “Amazing” Hopper, Æøå")


def steps(name: str, text: str, *accounts: Account) -> list[str]:
    return list(map(str, plan_import(parse_file(name, text.encode()), accounts, {}).steps))


@pytest.mark.parametrize(("name", "make"), [("m.csv", make_csv), ("m.ldif", make_ldif)])
def test_what_was_exported_is_imported_again(name: str, make: object) -> None:
    assert callable(make)
    text = make([ADA, GRACE])
    assert "userPassword" not in text
    assert steps(name, text, ADA, GRACE) == []
    assert steps(name, text) == [
        "ada: add, Ada Lovelace, ada@example.org",
        "ada: add to group admins",
        "ada: add to group cooks",
        f"ada: add ssh key {KEY}",
        "grace: add, Grace “Amazing” Hopper, Æøå",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("uid\nbob\nada\n", ["bob: add, bob"]),
        ("uid,name\nada,Ada King\n", ["ada: change to Ada King, ada@example.org"]),
        ("uid,mail\nada,\n", ["ada: change to Ada Lovelace, no mail address"]),
        ("\ufeffuid,groups\nada,admins poets\n", ["ada: add to group poets"]),
        (f"uid,ssh_keys\nada,{KEY.removesuffix(' ada at home')}\n", []),
        ("uid\n", []),
        ("Uid;Name; Mail\nbob;Böb;bob@example.org\n", ["bob: add, Böb, bob@example.org"]),
        ("uid\tname\r\nbob\tBob, the builder\r\n", ["bob: add, Bob, the builder"]),
        (
            "uid,mail\nada,a@b.org\nbob,ada@example.org\n",
            ["ada: change to Ada Lovelace, a@b.org", "bob: add, bob, ada@example.org"],
        ),
        ("uid,mail\nbob,\ncarol,\n", ["bob: add, bob", "carol: add, carol"]),
    ],
)
def test_a_table_changes_only_what_it_has(text: str, wanted: list[str]) -> None:
    assert steps("m.csv", text, ADA) == wanted


@pytest.mark.parametrize(
    ("name", "text", "message", "where"),
    [
        ("m.csv", "uid,age\nada,36\n", "there is no column 'age'", "m.csv:1"),
        ("m.csv", "name\nAda\n", "the column uid is missing", "m.csv:1"),
        ("m.csv", "", "the column uid is missing", "m.csv:1"),
        ("m.csv", "uid,name\nada\n", "more or fewer fields", "m.csv:2"),
        ("m.csv", "uid,name\nada,Ada,Ada\n", "more or fewer fields", "m.csv:2"),
        ("m.csv", "uid\nada\nbob\nada\n", "ada is also at m.csv:2", "m.csv:4"),
        ("m.csv", "uid\nAda\n", "not valid as the name of a member", "m.csv:2"),
        ("m.csv", "uid\nroot\n", "is reserved", "m.csv:2"),
        ("m.csv", "uid,mail\nada,somewhere\n", "is not a mail address", "m.csv:2"),
        ("m.csv", 'uid,groups\nada,"a,b"\n', "not valid as the name of a group", "m.csv:2"),
        ("m.csv", "uid,ssh_keys\nada,secret\n", "not one public key", "m.csv:2"),
        ("m.csv", 'uid\n"ada\n', "it is not CSV", "m.csv"),
        ("m.csv", "uid,mail\nbob,b@b.org\ncarol,B@b.org\n", "bob has the mail address", "m.csv:3"),
        ("m.csv", f"uid,ssh_keys\nbob,{KEY}\ncarol,{KEY} again\n", "bob has the key SHA256:", "m.csv:3"),
        ("m.ldif", "uid: ada\n", "it is not LDIF", "m.ldif"),
        ("m.txt", "uid\n", "ends neither with .csv nor with .ldif", ""),
    ],
)
def test_a_bad_file_is_refused_with_its_line(name: str, text: str, message: str, where: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        steps(name, text)
    assert (refused.value.where or "") == where


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uid,mail\nbob,ADA@example.org\n", "ada has the mail address ADA@example.org"),
        ("uid,mail\nbob,ada@example.org\nada,a@b.org\n", "ada has the mail address"),
        (f"uid,ssh_keys\nbob,{KEY.removesuffix(' ada at home')}\n", "ada has the key SHA256:"),
    ],
)
def test_what_another_member_has_is_refused_before_anything_is_changed(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        steps("m.csv", text, ADA, GRACE)


def test_groups_that_follow_the_compose_files_are_left_as_they_are() -> None:
    rows = parse_file("m.csv", b"uid,groups\nada,admins-wiki poets\nbob,admins-wiki\n")
    there = Account("ada", "Ada", groups=("admins-wiki",))
    planned = plan_import(rows, [there], {"admins-wiki": "wiki"})
    assert list(map(str, planned.steps)) == ["ada: add to group poets", "bob: add, bob"]
    assert planned.left == ("bob: not added to group admins-wiki, which follows the compose file of wiki",)


def test_a_key_that_was_never_valid_does_not_stop_an_import() -> None:
    assert steps("m.csv", "uid\nbob\n", Account("ada", "Ada", keys=("nonsense",))) == ["bob: add, bob"]
