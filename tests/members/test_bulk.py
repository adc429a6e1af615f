"""Import and export of many members: what a file wants, and what would change."""

import pytest

from darkpeak.errors import UsageError
from darkpeak.members.bulk import make_csv, make_ldif, parse_file, plan_import
from darkpeak.members.member import Account

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ada at home"
ADA = Account("ada", "Ada Lovelace", "ada@example.org", ("admins", "cooks"), (KEY,))
GRACE = Account("grace", "Grace “Amazing” Hopper, Æøå")


def steps(name: str, text: str, *accounts: Account) -> list[str]:
    return list(map(str, plan_import(parse_file(name, text.encode()), accounts)))


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
        ("m.ldif", "uid: ada\n", "it is not LDIF", "m.ldif"),
        ("m.txt", "uid\n", "ends neither with .csv nor with .ldif", ""),
    ],
)
def test_a_bad_file_is_refused_with_its_line(name: str, text: str, message: str, where: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        steps(name, text)
    assert (refused.value.where or "") == where
