"""Programs of services/directory, without an engine."""

import subprocess

import pytest

from tests.services.places import SERVICES

STRONG, SECOND, WEAK = (
    f"userPassword:: {value}"
    for value in ("e0FSR09OMn0kYXJnb24yaWQkOne", "e0FSR09OMn0kYXJnb24yaWQkTwo", "e0NMRUFSVEVYVH0=")
)
ENTRY = "dn: uid=eve,ou=people,dc=collective"


def surplus(*entries: tuple[str, ...]) -> str:
    """Return the changes that `surplus` prints for entries."""
    dump = "".join("\n".join(lines) + "\n\n" for lines in entries)
    program = SERVICES / "directory/slapd/bin/surplus"
    return subprocess.run([program], input=dump, capture_output=True, text=True, check=True, timeout=10).stdout


@pytest.mark.parametrize("passwords", [(), (STRONG,), (WEAK,), ("userPassword: {CLEARTEXT}x",)])
def test_one_password_is_not_too_many(passwords: tuple[str, ...]) -> None:
    assert surplus((ENTRY, "uid: eve", *passwords, "cn: Eve")) == ""


@pytest.mark.parametrize("passwords", [(STRONG, SECOND), (WEAK, STRONG, SECOND), (STRONG, WEAK, "userPassword: plain")])
def test_the_first_strong_password_is_kept(passwords: tuple[str, ...]) -> None:
    changes = surplus(("dn: uid=ada", STRONG), (ENTRY, *passwords, "cn: Eve"), ("dn: uid=grace", SECOND))
    assert changes == f"{ENTRY}\nchangetype: modify\nreplace: userPassword\n{STRONG}\n-\n\n"


def test_passwords_with_a_language_are_removed() -> None:
    languages = ("userPassword;lang-en: a", "userPassword;lang-en: b", "userPassword;lang-de:: Yw==")
    deleted = "delete: userPassword;lang-en\n-\ndelete: userPassword;lang-de\n-\n"
    assert surplus((ENTRY, STRONG, *languages)) == f"{ENTRY}\nchangetype: modify\n{deleted}\n"


def test_without_a_strong_password_the_first_is_kept() -> None:
    assert f"replace: userPassword\n{WEAK}\n" in surplus((ENTRY, WEAK, "userPassword: plain"))
