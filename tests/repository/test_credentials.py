"""Which credentials repositories need, and how `backup init` takes them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from darkpeak.collective.model import Collective
from darkpeak.collective.settings import Backup
from darkpeak.errors import UsageError
from darkpeak.repository.credentials import fill, require
from darkpeak.repository.key import Secret

SFTP, OTHER, REST, VOLUME = "sftp:backup@nas.test:/a", "sftp:backup@attic.test:/b", "rest:https://nas.test/", "volume:a"


def collective(*repositories: str) -> Collective:
    return Collective(Path(), "Test", "localhost", backup=Backup(repositories))


def ssh_key(passphrase: str = "") -> str:
    lock = form.BestAvailableEncryption(passphrase.encode()) if passphrase else form.NoEncryption()
    made = Ed25519PrivateKey.generate().private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, lock)
    return made.decode()


KEY = ssh_key()


@pytest.mark.parametrize(
    ("repositories", "own", "missing"),
    [
        ([SFTP], {}, "ssh-key, known-hosts"),
        ([VOLUME, REST, SFTP], {SFTP: {"ssh-key": KEY}}, "known-hosts"),
        ([SFTP], {SFTP: {"ssh-key": KEY, "known-hosts": " "}}, "known-hosts"),
        (["s3:https://s3.test/b"], {}, "aws"),
        (["rclone:drive:b"], {}, "rclone-conf"),
    ],
    ids=["both", "one of two", "an empty one", "s3", "rclone"],
)
def test_a_missing_credential_is_named_with_the_command_that_takes_it(
    repositories: list[str], own: dict[str, dict[str, str]], missing: str
) -> None:
    with pytest.raises(UsageError) as refused:
        require(collective(*repositories), Secret("word", own))
    words = " ".join(f"--secret {name}=FILE" for name in missing.split(", "))
    assert refused.value.message == (
        f"{repositories[-1]} needs a credential that the backup key does not have: {missing}"
    )
    assert refused.value.hint == f"nothing was made; give it: darkpeak backup init {words}"


@pytest.mark.parametrize("repository", [VOLUME, REST])
def test_repositories_that_need_none_are_accepted(repository: str) -> None:
    require(collective(repository), Secret("word"))


def test_each_repository_that_lacks_a_credential_gets_it() -> None:
    known = Secret("word", {OTHER: {"ssh-key": "another"}})
    filled = fill(collective(SFTP, OTHER, REST), known, {"ssh-key": KEY, "known-hosts": "nas"})
    assert filled == Secret(
        "word",
        {OTHER: {"ssh-key": "another", "known-hosts": "nas"}, SFTP: {"ssh-key": KEY, "known-hosts": "nas"}},
    )
    require(collective(SFTP, OTHER, REST), filled)
    assert known.credentials == {OTHER: {"ssh-key": "another"}}


def test_a_new_value_replaces_the_old_one_only_where_it_is_clear_which() -> None:
    own = {SFTP: {"ssh-key": "old"}}
    assert fill(collective(SFTP, REST), Secret("word", own), {"ssh-key": KEY}).credentials == {SFTP: {"ssh-key": KEY}}
    both = Secret("word", {SFTP: {"ssh-key": "old"}, OTHER: {"ssh-key": "older"}})
    with pytest.raises(UsageError, match="2 repositories have the credential ssh-key already") as refused:
        fill(collective(SFTP, OTHER), both, {"ssh-key": KEY})
    assert refused.value.hint == f"replace it for one of them: darkpeak key secret {SFTP} ssh-key <FILE"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("aws", "x", "no repository of collective.toml can have the credential aws"),
        ("ssh-key", "", "the credential ssh-key is empty"),
        ("ssh-key", "ssh-ed25519 AAAA ada@peak", "the ssh-key is not a private ssh key"),
        ("ssh-key", ssh_key("secret"), "the ssh-key has a passphrase, which nobody can type at night"),
    ],
    ids=["not for these", "empty", "a public key", "a passphrase"],
)
def test_a_credential_that_cannot_work_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fill(collective(SFTP), Secret("word"), {name: value})
