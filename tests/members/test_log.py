"""The log of changes, as slapd prints it."""

import pytest

from darkpeak.members.log import Change, parse_log

# Printed by slapd 2.6.10 for a change with `-e sessiontracking=ada@laptop`.
CONTROL = (
    '{0}{1.3.6.1.4.1.21008.108.63.1 controlValue "3044040A31302E36302E32302E32040C343365313037343731313930041C312E332E'
    '362E312E342E312E32313030382E3130382E36332E312E33040A616461406C6170746F70"}'
)
GRACE, MANAGER = "uid=grace,ou=people,dc=collective", "cn=manager,dc=collective"
ALWAYS = "reqMod: entryCSN:= 2026#000000\nreqMod: modifiersName:= x\nreqMod: modifyTimestamp:= 20261127020526Z\n"


def entry(kind: str, rest: str, who: str = MANAGER) -> bytes:
    start = f"dn: reqStart=20261127020526.000001Z,cn=log\nreqStart: 20261127020526.000001Z\nreqType: {kind}\n"
    return f"{start}reqAuthzID: {who}\nreqDN: {GRACE}\n{rest}\n".encode()


@pytest.mark.parametrize(
    ("text", "who", "what"),
    [
        (entry("modify", f"reqMod: mail:= g@x.org\nreqMod:: {'dXNlclBhc3N3b3JkOj0geA=='}\n{ALWAYS}", GRACE), "grace",
         "changed mail, userPassword"),
        (entry("modify", f"reqControls: {CONTROL}\nreqMod: sshPublicKey:- x\n{ALWAYS}"), "ada@laptop",
         "changed sshPublicKey"),
        (entry("add", "reqMod: uid:+ grace\n"), "root in the container", "added"),
        (entry("delete", ""), "root in the container", "removed"),
        (entry("modrdn", "reqNewRDN: uid=hopper\n"), "root in the container", "renamed to hopper"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words(text: bytes, who: str, what: str) -> None:
    assert parse_log(text) == [Change("2026-11-27 02:05:26", who, "grace", what)]


def test_a_long_name_is_read() -> None:
    name = b"a" * 200
    value = b"\x04\x81\xc8" + name
    control = (
        f'{{0}}{{1.3.6.1.4.1.21008.108.63.1 controlValue "{(b"0" + bytes([0x81, len(value)]) + value).hex().upper()}"}}'
    )
    [change] = parse_log(entry("delete", f"reqControls: {control}\n"))
    assert change.who == name.decode()


def test_an_empty_log_has_no_changes() -> None:
    assert parse_log(b"dn: cn=log\nobjectClass: auditContainer\ncn: log\n") == []
