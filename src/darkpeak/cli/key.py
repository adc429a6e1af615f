"""Commands about the backup key: key add, remove, check, secret. And how other commands open it."""

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
    from darkpeak.actions.target import Target
    from darkpeak.collective.model import Collective
    from darkpeak.repository.key import Secret

IDENTITY = click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your private ssh key, to open the backup key with (else ~/.ssh/id_ed25519 or id_rsa).",
)


def read_key(collective: "Collective", identities: tuple[Path, ...]) -> "Secret":
    """Open the backup key with the caller's ssh key."""
    from darkpeak.repository import key as keys

    return keys.read(collective, identities, _ask_passphrase)


@contextmanager
def session(settings: Settings, target: "Target", secret: "Secret") -> Iterator["Session"]:
    """Open the repositories from one engine, for as long as a command needs them."""
    from darkpeak.actions.session import opened

    with settings.progress() as progress, opened(target, secret, progress) as work:
        yield work


def _ask_passphrase(file: Path) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"{file} has a passphrase, and there is no terminal to ask for it", hint="use another key")
    return str(click.prompt(f"Passphrase of {file}", hide_input=True, err=True))


@click.group("key")
def key() -> None:
    """The backup key: who can open it.

    \b
    Example: darkpeak key check
    """


@command("add")
@click.argument("name", metavar="ADMIN")
@IDENTITY
def add(settings: Settings, name: str, identities: tuple[Path, ...]) -> None:
    """Let an admin open the backup key as well, with the ssh keys that collective.toml has for them.

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
    """Revoke an admin's access to backups: change every repository's password, and encrypt it to the other admins only.

    An admin may have kept a copy of the key, and of the repositories as they were: that is not undone, nor is
    restic's inner key changed. Take their access to the repositories away as well; if you no longer trust them, make
    new repositories.

    \b
    Example: darkpeak key remove grace
    """
    from darkpeak import output
    from darkpeak.actions import keys

    collective = settings.collective()
    secret = read_key(collective, identities)
    rest = keys.remaining(collective, name)
    with session(settings, settings.targets(collective)[0], secret) as work:
        changed = keys.remove_admin(work, name, secret, rest)
    output.note(f"{name} may have copies from before: take their access to the repositories too (key remove --help)")
    _show(settings, changed)


@command("check")
@IDENTITY
def check(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Check that you can open the backup key and that it opens every repository; exits 1 if not, or if only you can.

    \b
    Example: darkpeak key check
    """
    from darkpeak.actions import keys

    collective = settings.collective()
    secret = read_key(collective, identities)
    with session(settings, settings.targets(collective)[0], secret) as work:
        checked = keys.check(work)
    _show(settings, checked)


@command("secret")
@click.argument("repository")
@click.argument("name", metavar="NAME")
@IDENTITY
def secret(settings: Settings, repository: str, name: str, identities: tuple[Path, ...]) -> None:
    """Keep a repository's credential beside the password, read from standard input; empty input removes it.

    NAME is login (USER:PASSWORD) for rest, aws (a credentials file) for s3, ssh-key and known-hosts for sftp,
    rclone-conf for rclone. REPOSITORY can also be notify, with urls (who is told by nightly, an apprise URL a line) or
    ping (an address that is requested after each good night).

    \b
    Example: darkpeak key secret rest:https://nas.example/ login < login.txt
    """
    from darkpeak.actions import keys

    collective = settings.collective()
    keys.check_credential(collective, repository, name)
    opened = read_key(collective, identities)
    _show(settings, keys.set_credential(collective, opened, repository, name, sys.stdin.read()))


def _show(settings: Settings, changed: "KeyChanged") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(changed)
    else:
        output.show_lines([f"{changed.done}; these admins can open the backup key: {', '.join(changed.opens_for)}"])
    if not changed.enough:
        raise CheckFailed("fewer than two admins can open the backup key", hint="darkpeak key add ADMIN")


for each in (add, remove, check, secret):
    key.add_command(each)

COMMANDS = (key,)
