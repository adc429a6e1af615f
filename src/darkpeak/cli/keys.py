"""The backup key: who can open it, and what it opens."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.backups import IDENTITY, read_key, session
from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Admin, Collective


@click.group("key")
def key() -> None:
    """The backup key: who can open it.

    \b
    Example: darkpeak key check
    """


def _admin(collective: "Collective", name: str) -> "Admin":
    for admin in collective.admins:
        if admin.name == name:
            return admin
    known = ", ".join(admin.name for admin in collective.admins)
    raise UsageError(f"nobody is called {name}", where="collective.toml", hint=f"there are: {known}")


def _opening(collective: "Collective", *, but: str = "") -> "list[Admin]":
    from darkpeak.collective.recipients import openers

    can = openers(collective)
    return [admin for admin in collective.admins if admin.name in can and admin.name != but]


def _say(settings: Settings, collective: "Collective", done: str) -> None:
    from darkpeak import output
    from darkpeak.collective.recipients import LEAST_OPENERS, openers

    can = openers(collective)
    if settings.as_json:
        output.show_json({"done": done, "opens_for": can})
    else:
        output.show_lines([f"{done}; the backup key opens for {', '.join(can)}"])
    if len(can) < LEAST_OPENERS:
        raise CheckFailed("fewer than two admins can open the backup key", hint="darkpeak key add ADMIN")


@command("add")
@click.argument("name", metavar="ADMIN")
@IDENTITY
def add(settings: Settings, name: str, identities: tuple[Path, ...]) -> None:
    """Let an admin open the backup key as well, with the ssh keys that collective.toml has for them.

    \b
    Example: darkpeak key add grace
    """
    from darkpeak.repository import key as keys

    collective = settings.collective()
    admin = _admin(collective, name)
    if not admin.ssh:
        hint = f'write ssh = ["ssh-ed25519 AAAA…"] under [admins.{name}]'
        raise UsageError(f"{name} has no ssh key", where="collective.toml", hint=hint)
    secret = read_key(collective, identities)
    others = [item for item in _opening(collective) if item.name != name]
    keys.write(collective, secret, [*others, admin])
    _say(settings, collective, f"{name} added")


@command("remove")
@click.argument("name", metavar="ADMIN")
@IDENTITY
def remove(settings: Settings, name: str, identities: tuple[Path, ...]) -> None:
    """Take the backup key from an admin: another password for every repository, encrypted to the others alone.

    Whoever had the key may have kept a copy of it, and of the repositories as they were: that is not undone, nor is
    restic's inner key changed. Take their access to the repositories as well; if you trust them no more, make new
    repositories.

    \b
    Example: darkpeak key remove grace
    """
    from darkpeak import output
    from darkpeak.repository import key as keys

    collective = settings.collective()
    secret, new = read_key(collective, identities), keys.make()
    rest = _opening(collective, but=name)
    if not rest:
        raise UsageError(f"without {name} nobody could open the backup key", hint="darkpeak key add ADMIN first")
    with session(settings, settings.groups(collective)[0], secret) as work:
        if work.absent:
            raise work.absent[0]
        work.helper.put_secrets({"new-password": new.password + "\n"})
        for store in work.stores:
            store.add_password("new-password")
        # From here on the file's key opens them all; were we killed before, the old one still does.
        keys.write(collective, keys.Secret(new.password, secret.credentials), rest)
        for store in work.stores:
            store.remove_other_passwords("new-password")
    output.note(f"{name} may have copies from before: take their access to the repositories too (key remove --help)")
    _say(settings, collective, f"{name} removed")


@command("check")
@IDENTITY
def check(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Prove that you can open the backup key, and that it opens every repository; 1 when not, or nobody else can.

    \b
    Example: darkpeak key check
    """
    collective = settings.collective()
    secret = read_key(collective, identities)
    with session(settings, settings.groups(collective)[0], secret) as work:
        absent = work.absent
    if absent:
        raise absent[0]
    _say(settings, collective, "you can open it, and it opens every repository")


@command("secret")
@click.argument("repository")
@click.argument("name", metavar="NAME")
@IDENTITY
def secret(settings: Settings, repository: str, name: str, identities: tuple[Path, ...]) -> None:
    """Keep a repository's credential beside the password, read from standard input; empty input removes it.

    NAME is login (USER:PASSWORD) for rest, aws (a credentials file) for s3, ssh-key and known-hosts for sftp,
    rclone-conf for rclone. REPOSITORY can also be notify, with urls (whom nightly tells, an apprise URL a line) or
    ping (an address that is asked for after each good night).

    \b
    Example: darkpeak key secret rest:https://nas.example/ login < login.txt
    """
    from darkpeak.collective.repository_url import parse
    from darkpeak.repository import key as keys
    from darkpeak.schedule.notices import NOTIFY, PING, URLS

    collective = settings.collective()
    if repository not in (*collective.backup.repositories, NOTIFY):
        known = ", ".join((*collective.backup.repositories, NOTIFY))
        raise UsageError(
            f"{repository} is none of the repositories", where="collective.toml", hint=f"there are: {known}"
        )
    takes = (URLS, PING) if repository == NOTIFY else parse(repository).credentials
    if name not in takes:
        raise UsageError(f"{repository} takes no {name}", hint=f"it takes: {', '.join(takes) or 'none'}")
    before = read_key(collective, identities)
    own = {**before.credentials.get(repository, {}), name: sys.stdin.read()}
    kept = {key: value for key, value in own.items() if value.strip()}
    changed = keys.Secret(before.password, {**before.credentials, repository: kept})
    keys.write(collective, changed, _opening(collective))
    _say(settings, collective, f"{name} of {repository} kept")


for each in (add, remove, check, secret):
    key.add_command(each)

COMMANDS = (key,)
