"""The backup key: each admin's ssh key opens it, also by hand, and no other key does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from darkpeak import lint
from darkpeak.collective.model import Collective
from darkpeak.collective.recipients import openers
from darkpeak.collective.settings import Admin
from darkpeak.errors import CheckFailed, UsageError
from darkpeak.repository import key
from darkpeak.vocabulary import KEY_FILE
from tests.making import without_notes

SECRET = key.Secret("word", {"rest:https://nas.test/": {"login": "ada:pass"}})


@pytest.fixture
def make_admin(tmp_path: Path) -> Callable[..., tuple[Admin, Path]]:
    """Return a function that makes an admin with an ssh key, and the file of the private key."""

    def make(name: str, passphrase: str = "") -> tuple[Admin, Path]:
        pair = Ed25519PrivateKey.generate()
        lock = form.BestAvailableEncryption(passphrase.encode()) if passphrase else form.NoEncryption()
        path = tmp_path / name
        path.write_bytes(pair.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, lock))
        public = pair.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
        path.with_name(f"{name}.pub").write_text(f"{public} {name}@peak\n")
        return Admin(name, ssh=(f"{public} {name}@peak",)), path

    return make


def never(_: Path) -> str:
    raise AssertionError("nobody may be asked")


def make_collective(root: Path, *admins: Admin) -> Collective:
    return Collective(root, "Test", "localhost", admins)


def test_each_admin_opens_it(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    (ada, first), (grace, second), (eve, third) = map(make_admin, ("ada", "grace", "eve"))
    collective = make_collective(tmp_path, ada, grace, eve)
    key.write(collective, SECRET, [ada, grace])
    assert key.read(collective, [first], never) == key.read(collective, [third, second], never) == SECRET
    assert openers(collective) == ("ada", "grace")
    with pytest.raises(CheckFailed, match=r"eve does not open "):
        key.read(collective, [third], never)
    assert without_notes(lint.check(collective)) == []


def test_a_passphrase_is_asked_for_only_where_it_can_help(
    tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]
) -> None:
    (ada, first), (eve, other) = make_admin("ada", "rosebud"), make_admin("eve", "unknown")
    collective = make_collective(tmp_path, ada, eve)
    key.write(collective, SECRET, [ada])
    assert key.read(collective, [other, first], lambda _: "rosebud") == SECRET
    with pytest.raises(CheckFailed, match="passphrase"):
        key.read(collective, [first], lambda _: "wrong")


def test_a_key_for_only_one_admin_is_a_finding(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    ada, _ = make_admin("ada")
    collective = make_collective(tmp_path, ada, Admin("grace"))
    key.write(collective, SECRET, collective.admins)
    assert [(item.rule, item.what) for item in without_notes(lint.check(collective))] == [
        ("backup-key", "only ada can open the backup key")
    ]


def test_a_key_for_two_admins_is_no_finding(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    (ada, _), (eve, _) = make_admin("ada"), make_admin("eve")
    collective = make_collective(tmp_path, ada, eve)
    key.write(collective, SECRET, collective.admins)
    assert without_notes(lint.check(collective)) == []


@pytest.mark.parametrize("line", ["", "ssh-ed25519 nonsense", "ecdsa-sha2-nistp256 AAAA"])
def test_a_key_that_age_cannot_use_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError):
        key.write(make_collective(tmp_path), SECRET, [Admin("ada", ssh=(line,) if line else ())])
    assert not (tmp_path / KEY_FILE).exists()


def test_the_password_is_the_first_line_and_shown_nowhere_else() -> None:
    assert SECRET.text().decode().splitlines()[0] == "word"
    assert "word" not in repr(SECRET)
    assert "pass" not in repr(SECRET)


def test_nobody_can_open_a_damaged_key_file(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    ada, first = make_admin("ada")
    collective = make_collective(tmp_path, ada)
    key.write(collective, SECRET, [ada])
    path = tmp_path / KEY_FILE
    path.write_bytes(path.read_bytes()[:-60] + b"A" * 20 + path.read_bytes()[-40:])
    with pytest.raises(CheckFailed):
        key.read(collective, [first], never)


def test_a_key_shows_whose_it_is(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    (ada, first), (grace, locked), (_, other) = make_admin("ada"), make_admin("grace", "rosebud"), make_admin("eve")
    collective = make_collective(tmp_path, ada, grace)
    assert key.find_owner(collective, [other, first], never) == ada
    assert key.find_owner(collective, [locked], lambda _: "rosebud") == grace
    with pytest.raises(CheckFailed, match=r"no admin of collective\.toml has this ssh key: .*eve"):
        key.find_owner(collective, [other], never)
    (tmp_path / "text").write_text("no key")
    with pytest.raises(CheckFailed, match="no admin"):
        key.find_owner(collective, [tmp_path / "text"], never)
    with pytest.raises(UsageError, match="cannot be read"):
        key.find_owner(collective, [tmp_path / "missing"], never)


def test_a_broken_line_is_nobodys_key(tmp_path: Path, make_admin: Callable[..., tuple[Admin, Path]]) -> None:
    """A word that is no key, the hint's own text, and a private key in an old form, which is somebody's."""
    (ada, _), old = make_admin("ada"), tmp_path / "old"
    pair = rsa.generate_private_key(65537, 2048)
    old.write_bytes(pair.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()))
    public = pair.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
    for line in ("TODO", "ssh-ed25519 AAAA…", "ssh-rsa", ""):
        collective = make_collective(tmp_path, Admin("grace", ssh=(line,)), ada)
        assert openers(collective) == ()
        with pytest.raises(CheckFailed, match="no admin"):
            key.find_owner(collective, [old], never)
    assert key.find_owner(make_collective(tmp_path, Admin("grace", ssh=(public,))), [old], never).name == "grace"
