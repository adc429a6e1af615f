"""The repositories' key: one password, in git, encrypted with age to the admins' ssh keys.

By hand: `age -d -i ~/.ssh/id_ed25519 backup-key.age` prints it; the password is the first line.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from darkpeak.collective.model import Admin, Collective
from darkpeak.collective.recipients import openers, tag, tags
from darkpeak.errors import CheckFailed, UsageError
from darkpeak.vocabulary import KEY_FILE

if TYPE_CHECKING:
    from pyrage.ssh import Identity

USUAL = ("id_ed25519", "id_rsa")
ENTROPY_BYTES = 32
Ask = Callable[[Path], str]  # asks a person for the passphrase of a key file


@dataclass(frozen=True)
class Secret:
    """What the file holds: the password, and what each repository wants to be shown."""

    password: str = field(repr=False)
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def text(self) -> bytes:
        """Return it as it is encrypted: the password on a line of its own, so that it is found without us."""
        return f"{self.password}\n{json.dumps(self.credentials, indent=2)}\n".encode()


def make() -> Secret:
    """Make a new one, at random."""
    return Secret(secrets.token_urlsafe(ENTROPY_BYTES))


def parse(text: bytes) -> Secret:
    """Read what was decrypted."""
    password, _, rest = text.decode().partition("\n")
    return Secret(password, json.loads(rest or "{}"))


def write(collective: Collective, secret: Secret, admins: Iterable[Admin]) -> None:
    """Encrypt the key to these admins' ssh keys, and put it in place in one step.

    Raises:
        UsageError: when an admin has no ssh key, or one that age cannot use.
    """
    import pyrage

    recipients = [_recipient(admin, line) for admin in admins for line in admin.ssh]
    if not recipients:
        hint = 'write ssh = ["ssh-ed25519 AAAA…"] under [admins.NAME] in collective.toml, for at least two people'
        raise UsageError("no admin has an ssh key to encrypt the backup key to", hint=hint)
    sealed = pyrage.encrypt(secret.text(), recipients, armored=True)
    path = collective.root / KEY_FILE
    aside = path.with_suffix(".partial")
    aside.write_bytes(sealed)
    aside.replace(path)


def read(collective: Collective, identities: Sequence[Path], ask: Ask) -> Secret:
    """Decrypt the key with the first of these ssh keys that opens it; without any named, with the usual ones.

    Raises:
        UsageError: when there is no key file.
        CheckFailed: when none of the ssh keys opens it.
    """
    import pyrage

    path = collective.root / KEY_FILE
    if not path.is_file():
        raise UsageError(
            f"there is no {KEY_FILE}", where=str(collective.root), hint="darkpeak backup init makes it, once"
        )
    sealed = path.read_bytes()
    wanted = set(tags(sealed))
    for file in identities or usual():
        try:
            identity = _identity(file, wanted, ask)
            if identity:
                return parse(pyrage.decrypt(sealed, [identity]))
        except (pyrage.DecryptError, pyrage.IdentityError):
            continue
    tried = ", ".join(map(str, identities or usual())) or "no ssh key in ~/.ssh"
    can = ", ".join(openers(collective)) or "nobody of collective.toml"
    raise CheckFailed(
        f"{KEY_FILE} is not opened by {tried}", hint=f"give another with --identity FILE; it opens for: {can}"
    )


def usual() -> list[Path]:
    """Return the ssh keys that the caller has in the usual places."""
    folder = Path.home() / ".ssh"
    return [folder / name for name in USUAL if os.access(folder / name, os.R_OK)]


def _recipient(admin: Admin, line: str) -> object:
    import pyrage

    try:
        return pyrage.ssh.Recipient.from_str(line.strip())
    except pyrage.RecipientError as error:
        what = f"age cannot encrypt to this ssh key of {admin.name}: {line[:40]}…"
        raise UsageError(what, hint="ssh-ed25519 and ssh-rsa keys will do: ssh-keygen -t ed25519") from error


def _identity(file: Path, wanted: set[str], ask: Ask) -> "Identity | None":
    """Return an ssh key ready for use, or None where it is no key to this file anyway."""
    import pyrage

    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read", hint="name your private ssh key with --identity FILE") from error
    try:
        return pyrage.ssh.Identity.from_buffer(content)
    except pyrage.IdentityError as error:
        if "decrypted first" not in str(error):
            return None
    public = file.with_name(file.name + ".pub")
    if public.is_file() and tag(public.read_text()) not in wanted:
        return None
    return pyrage.ssh.Identity.from_buffer(_without_passphrase(content, file, ask))


def _without_passphrase(content: bytes, file: Path, ask: Ask) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    try:
        private = form.load_ssh_private_key(content, ask(file).encode())
    except ValueError as error:
        raise CheckFailed(f"that is not the passphrase of {file}", hint="try again") from error
    return private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
