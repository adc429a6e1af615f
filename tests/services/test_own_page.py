"""The members' own page of the login page: its texts, and the ssh keys that it takes."""

import json
import re

import pytest

from catalogue.account.portal.me import ssh_key as page
from darkpeak.errors import UsageError
from darkpeak.members import ssh_key as tool
from tests.members.test_ssh_key import GOOD, make
from tests.services.places import CATALOGUE

ME = CATALOGUE / "account/portal/me"
TEXTS = {file.stem: json.loads(file.read_text()) for file in (ME / "texts").glob("*.json")}
LINES = [
    "",
    "ssh-ed25519",
    f"ssh-ed25519 {GOOD}",
    f"  ssh-ed25519 {GOOD} ada at home\r\n",
    f"ssh-ed25519 {GOOD}\nssh-ed25519 {GOOD}\n",
    f"ssh-ed25519 {GOOD} a\x85ssh-ed25519 {GOOD}",
    f"ssh-dss {GOOD}",
    f'command="sh" ssh-ed25519 {GOOD}',
    f"no-pty ssh-ed25519 {GOOD}",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "ssh-ed25519 AAAA",
    "ssh-ed25519 not-base64",
    "ssh-ed25519 é",
    f"ssh-rsa {GOOD}",
    f"ssh-ed25519 {GOOD} a\x1b[31mb",
]


@pytest.mark.parametrize("line", LINES)
def test_it_takes_the_keys_that_the_tool_takes(line: str) -> None:
    assert taken(line) == wanted(line)


@pytest.mark.parametrize("options", [("ed25519",), ("rsa", "-b", "1024"), ("rsa", "-b", "2048"), ("ecdsa",)], ids=str)
def test_it_takes_the_keys_of_ssh_keygen_that_the_tool_takes(tmp_path: object, options: tuple[str, ...]) -> None:
    line = make(tmp_path, "-t", *options)  # type: ignore[arg-type]
    assert taken(line) == wanted(line)


def taken(line: str) -> tuple[str, str] | None:
    """Return the key and its fingerprint; None if the page refuses it."""
    try:
        key = page.parse_key(line)
    except page.BadKeyError:
        return None
    return key.line, key.fingerprint


def wanted(line: str) -> tuple[str, str] | None:
    """Return the key and its fingerprint; None if `darkpeak member ssh-key` refuses it."""
    try:
        key = tool.parse_key(line)
    except UsageError:
        return None
    return key.line, key.fingerprint


def test_all_languages_of_the_login_page_have_all_texts_that_it_uses() -> None:
    assert set(TEXTS) == {path.stem for path in (CATALOGUE / "account/portal/texts").glob("*.json")}
    files = {file: file.read_text() for file in ME.glob("*.py")}
    said = {name for text in files.values() for name in re.findall(r'(?:Error|show)\((?:uid, )?"([a-z_]+)"', text)}
    used = {name for file in (ME / "templates").iterdir() for name in re.findall(r"t\['(\w+)'\]", file.read_text())}
    told = {word for text in files.values() for word in re.findall(r'"([a-z]+(?:_[a-z]+)*)"', text)}
    for texts in TEXTS.values():
        assert used | said <= set(texts)
        assert set(texts) <= used | told, "a text that nobody uses"
        assert {name: re.findall(r"{\w+}", text) for name, text in texts.items()} == PLACES


PLACES = {name: re.findall(r"{\w+}", text) for name, text in TEXTS["en"].items()}
