"""Public ssh keys: which are taken, and their fingerprints."""

import base64
import subprocess
from pathlib import Path

import pytest

from darkpeak.errors import UsageError
from darkpeak.members.ssh_key import parse_key


def make(folder: Path, *options: str) -> str:
    """Return a public key that ssh-keygen makes."""
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", path, "-C", "ada at home", *options], check=True, timeout=60)
    return path.with_suffix(".pub").read_text()


@pytest.mark.parametrize("options", [("-t", "ed25519"), ("-t", "rsa", "-b", "2048"), ("-t", "ecdsa")], ids=str)
def test_a_key_has_the_fingerprint_of_ssh_keygen(tmp_path: Path, options: tuple[str, ...]) -> None:
    text = make(tmp_path, *options)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    )
    key = parse_key("\n" + text.replace("\n", "\r\n"))
    assert key.fingerprint == listed.stdout.split()[1]
    assert (key.comment, key.line) == ("ada at home", text.strip())


def test_a_weak_rsa_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need 2048 bits"):
        parse_key(make(tmp_path, "-t", "rsa", "-b", "1024"))


def body(*parts: bytes) -> str:
    return base64.b64encode(b"".join(len(part).to_bytes(4) + part for part in parts)).decode()


GOOD = body(b"ssh-ed25519", bytes(32))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not one public key"),
        ("ssh-ed25519", "not one public key"),
        (f"ssh-ed25519 {GOOD}\nssh-ed25519 {GOOD}\n", "not one public key"),
        (f"ssh-dss {GOOD}", "DSA keys are too weak"),
        (f'command="sh" ssh-ed25519 {GOOD}', "does not begin with"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "does not begin with"),
        ("ssh-ed25519 AAAA", "damaged"),
        ("ssh-ed25519 not-base64", "damaged"),
        ("ssh-ed25519 é", "damaged"),
        (f"ssh-rsa {GOOD}", "damaged"),
        (f"ssh-ed25519 {GOOD} a\x1b[31mb", "cannot be printed"),
    ],
)
def test_what_is_not_a_good_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_key(text)
