"""The backup key: the repositories' password and credentials, in git, encrypted with age to the admins' ssh keys.

Without darkpeak, `age -d -i ~/.ssh/id_ed25519 backup-key.age` prints it; the password is the first line.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from darkpeak.collective.model import Collective
from darkpeak.collective.recipients import openers, public_part, tag, tags
from darkpeak.collective.settings import Admin
from darkpeak.errors import CheckFailed, UsageError
from darkpeak.vocabulary import COLLECTIVE_FILE, KEY_FILE

if TYPE_CHECKING:
    from pyrage.ssh import Identity

DEFAULT_NAMES = ("id_ed25519", "id_rsa")
ENTROPY_BYTES = 32
Ask = Callable[[Path], str]  # asks a person for the passphrase of an ssh key


@dataclass(frozen=True)
class Secret:
    """The content of the key file: the password, and the credentials of each repository."""

    password: str = field(repr=False)
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def text(self) -> bytes:
        """Return it as a text for the file; the password is a line of its own, so that people can find it."""
        return f"{self.password}\n{json.dumps(self.credentials, indent=2)}\n".encode()


def make() -> Secret:
    """Make a new secret with a random password."""
    return Secret(secrets.token_urlsafe(ENTROPY_BYTES))


def parse(text: bytes) -> Secret:
    """Return the secret of a decrypted text."""
    password, _, rest = text.decode().partition("\n")
    return Secret(password, json.loads(rest or "{}"))


def write(collective: Collective, secret: Secret, admins: Iterable[Admin]) -> None:
    """Encrypt the secret to these admins' ssh keys, and replace the key file in one step.

    Raises:
        UsageError: when no admin has an ssh key, or when age cannot use one.
    """
    import pyrage

    recipients = [_recipient(admin, line) for admin in admins for line in admin.ssh]
    if not recipients:
        hint = 'write ssh = ["ssh-ed25519 AAAA…"] under [admins.NAME] in collective.toml, for at least two people'
        raise UsageError("there is no ssh key to which the backup key can be encrypted", hint=hint)
    encrypted = pyrage.encrypt(secret.text(), recipients, armored=True)
    path = collective.root / KEY_FILE
    partial = path.with_suffix(".partial")
    partial.write_bytes(encrypted)
    partial.replace(path)


def read(collective: Collective, identities: Sequence[Path], ask: Ask) -> Secret:
    """Decrypt the key file with the first of these ssh keys (without any, the default ones) that opens it.

    Raises:
        UsageError: when there is no key file.
        CheckFailed: when none of the ssh keys opens it.
    """
    import pyrage

    path = collective.root / KEY_FILE
    if not path.is_file():
        raise UsageError(
            f"there is no {KEY_FILE}", where=str(collective.root), hint="make it, once: darkpeak backup init"
        )
    encrypted = path.read_bytes()
    wanted = set(tags(encrypted))
    for file in identities or default_identities():
        try:
            identity = _identity(file, wanted, ask)
            if identity:
                return parse(pyrage.decrypt(encrypted, [identity]))
        except (pyrage.DecryptError, pyrage.IdentityError):
            continue
    tried = ", ".join(map(str, identities or default_identities()))
    can = ", ".join(openers(collective)) or "no admin of collective.toml"
    what = f"{tried} does not open {KEY_FILE}" if tried else f"there is no ssh key in ~/.ssh to open {KEY_FILE}"
    raise CheckFailed(what, hint=f"give another key with --identity FILE; those who can open it are: {can}")


def find_owner(collective: Collective, identities: Sequence[Path], ask: Ask) -> Admin:
    """Return the admin to whom one of these private ssh keys (without any, the default ones) belongs.

    Raises:
        CheckFailed: when none of them belongs to an admin.
    """
    owners = {public_part(line): admin for admin in collective.admins for line in admin.ssh if public_part(line)}
    for file in identities or default_identities():
        owner = owners.get(_public_line(_read_identity(file), file, ask))
        if owner:
            return owner
    tried = ", ".join(map(str, identities or default_identities())) or "no key in ~/.ssh"
    raise CheckFailed(
        f"no admin of {COLLECTIVE_FILE} has this ssh key: {tried}",
        hint="give your private key with --identity FILE; its .pub line must be in ssh = […] under [admins.NAME]",
    )


def default_identities() -> list[Path]:
    """Return the caller's ssh keys with default names."""
    folder = Path.home() / ".ssh"
    return [folder / name for name in DEFAULT_NAMES if os.access(folder / name, os.R_OK)]


def _recipient(admin: Admin, line: str) -> object:
    import pyrage

    try:
        return pyrage.ssh.Recipient.from_str(line.strip())
    except pyrage.RecipientError as error:
        what = f"age cannot encrypt to this ssh key of {admin.name}: {line[:40]}…"
        raise UsageError(what, hint="use an ssh-ed25519 or ssh-rsa key; make one: ssh-keygen -t ed25519") from error


def _identity(file: Path, wanted: set[str], ask: Ask) -> "Identity | None":
    """Return an ssh key that is ready for use, or None if it cannot open this file."""
    import pyrage

    content = _read_identity(file)
    try:
        return pyrage.ssh.Identity.from_buffer(content)
    except pyrage.IdentityError as error:
        if "decrypted first" not in str(error):
            return None
    public = file.with_name(file.name + ".pub")
    if public.is_file() and tag(public.read_text()) not in wanted:
        return None
    return pyrage.ssh.Identity.from_buffer(_without_passphrase(content, file, ask))


def _read_identity(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read", hint="give your private ssh key with --identity FILE") from error


def _public_line(content: bytes, file: Path, ask: Ask) -> str:
    """Return the public line of a private ssh key; empty if this is no such key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    load = form.load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else form.load_pem_private_key
    try:
        private = load(content, None)
    except TypeError:  # it has a passphrase
        private = form.load_ssh_private_key(_without_passphrase(content, file, ask), None)
    except (ValueError, UnsupportedAlgorithm):
        return ""
    try:
        return private.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
    except (AttributeError, ValueError, UnsupportedAlgorithm):  # a key that is no ssh key
        return ""


def _without_passphrase(content: bytes, file: Path, ask: Ask) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    try:
        private = form.load_ssh_private_key(content, ask(file).encode())
    except ValueError as error:
        raise CheckFailed(f"wrong passphrase for {file}", hint="try again") from error
    return private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
