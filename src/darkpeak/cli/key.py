"""Commands about the backup key: key add, remove, check, secret; and how other commands open the key."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from darkpeak.actions.keys import KeyChanged
    from darkpeak.actions.session import Session
    from darkpeak.collective.model import Collective
    from darkpeak.deploy.target import Target
    from darkpeak.repository.key import Secret

IDENTITY = click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your private ssh key, which opens the backup key (default: ~/.ssh/id_ed25519 or id_rsa).",
)


def read_key(collective: "Collective", identities: tuple[Path, ...]) -> "Secret":
    """Return the backup key, opened with the caller's ssh key.

    Raises:
        UsageError: when there is no backup key.
        CheckFailed: when none of the ssh keys opens it.
    """
    from darkpeak.repository import key as keys

    return keys.read(collective, identities, ask_passphrase)


@contextmanager
def session(settings: Settings, target: "Target", secret: "Secret") -> Iterator["Session"]:
    """Yield a session with the repositories, from one engine.

    Raises:
        CheckFailed: when the backup key does not open a repository; the first use of the repositories raises it.
    """
    from darkpeak.actions.session import opened

    with settings.progress() as progress, opened(target, secret, progress) as work:
        yield work


def ask_passphrase(file: Path) -> str:
    """Return the passphrase of an ssh key, which is asked on the terminal.

    Raises:
        UsageError: when there is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{file} has a passphrase, and there is no terminal to ask for it", hint="use another key")
    return str(click.prompt(f"Passphrase of {file}", hide_input=True, err=True))


@click.group("key")
def key() -> None:
    """Manage who can open the backup key, and what is in it.

    \b
    Example: darkpeak key check
    """


@command("add")
@click.argument("name", metavar="ADMIN")
@IDENTITY
def add(settings: Settings, name: str, identities: tuple[Path, ...]) -> None:
    """Let another admin open the backup key.

    The key is encrypted to the admin's ssh keys in collective.toml as well.

    Exits 1 if your ssh key does not open the backup key, or if fewer than two admins can open it afterwards.

    \b
    Example: darkpeak key add grace
    """
    from darkpeak.actions import keys

    collective = settings.collective()
    keys.find_admin(collective, name)
    _show(settings, keys.add_admin(collective, name, read_key(collective, identities)))


@command("remove")
@click.argument("name", metavar="ADMIN")
@IDENTITY
def remove(settings: Settings, name: str, identities: tuple[Path, ...]) -> None:
    """Revoke an admin's access to the backups.

    Every repository gets a new password, which is encrypted only to the other admins. The admin may have kept a copy of
    the old key and of the repositories; no command can undo that, and restic's master key stays the same. So remove
    the admin's login to the repositories too. If you no longer trust the admin, make new repositories.

    Exits 1 if your ssh key does not open the backup key or a repository, or if fewer than two admins can open it
    afterwards.

    \b
    Example: darkpeak key remove grace
    """
    from darkpeak import output
    from darkpeak.actions import keys

    collective = settings.collective()
    secret = read_key(collective, identities)
    rest = keys.remaining(collective, name)
    with session(settings, settings.target(collective), secret) as work:
        changed = keys.remove_admin(work, name, secret, rest)
    output.note(
        f"{name} may have a copy of the old key; remove their login to the repositories too (see key remove --help)"
    )
    _show(settings, changed)


@command("check")
@IDENTITY
def check(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Check that the backup key opens every repository.

    Exits 1 if your ssh key does not open the backup key, if the backup key does not open a repository, or if fewer
    than two admins can open the backup key.

    \b
    Example: darkpeak key check
    """
    from darkpeak.actions import keys

    collective = settings.collective()
    secret = read_key(collective, identities)
    with session(settings, settings.target(collective), secret) as work:
        checked = keys.check(work)
    _show(settings, checked)


@command("secret")
@click.argument("repository")
@click.argument("name", metavar="NAME")
@IDENTITY
def secret(settings: Settings, repository: str, name: str, identities: tuple[Path, ...]) -> None:
    """Store a repository's credential in the backup key.

    The credential is read from standard input; an empty input removes it. NAME is login (USER:PASSWORD) for rest, aws
    (a credentials file) for s3, ssh-key or known-hosts for sftp, rclone-conf for rclone. REPOSITORY can also be notify:
    its urls (one apprise URL a line) get the messages of nightly, and its ping is a URL that nightly requests when
    all went well.

    Exits 1 if your ssh key does not open the backup key, or if fewer than two admins can open it.

    \b
    Example: darkpeak key secret rest:https://nas.example/ login < login.txt
    """
    from darkpeak.actions import keys
    from darkpeak.repository import credentials

    collective = settings.collective()
    credentials.check(collective, repository, name)
    opened = read_key(collective, identities)
    _show(settings, keys.set_credential(collective, opened, repository, name, sys.stdin.read()))


def _show(settings: Settings, changed: "KeyChanged") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(changed)
    else:
        output.show_lines([f"{changed.done}; these admins can open the backup key: {', '.join(changed.opens_for)}"])
    if not changed.enough:
        raise CheckFailed(
            "fewer than two admins can open the backup key", hint="add a second admin: darkpeak key add ADMIN"
        )


for each in (add, remove, check, secret):
    key.add_command(each)

COMMANDS = (key,)
