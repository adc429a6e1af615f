"""Members of the directory: add, list, passwd, remove."""

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import SystemFailure, UsageError

if TYPE_CHECKING:
    from darkpeak.members.directory import Directory

STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group("member")
def member() -> None:
    """Members in the directory: add, list, passwd, remove.

    \b
    Example: darkpeak member add ada --name "Ada Lovelace"
    """


def _directory(settings: Settings) -> "Directory":
    """Return the running directory."""
    from darkpeak.members.directory import Directory
    from darkpeak.plan.observed import find_container

    group = settings.group(settings.collective(), "directory")
    running = find_container(group.collective, group.engine.observe(), "directory", "slapd")
    if running:
        return Directory(partial(group.engine.exec_in, running.id))
    raise SystemFailure("no directory runs on this engine", hint="darkpeak up directory")


def _password(*, from_stdin: bool) -> str:
    """Ask for a password twice, or read one line."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise UsageError("there is no terminal to ask for the password on", hint="give it with --password-stdin")
    if not password:
        raise UsageError("the password is empty", hint="give one with eight or more characters")
    return str(password)


def _done(settings: Settings, uid: str, done: str) -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json({"uid": uid, "done": done})
    else:
        output.show_lines([f"{uid}: {done}"])


@command("add")
@click.argument("uid")
@click.option("--name", "full_name", help="Full name (else the uid).")
@click.option("--mail", default="", help="Mail address, seen by the member and the directory's admins alone.")
@STDIN
def add(settings: Settings, uid: str, full_name: str | None, mail: str, *, password_stdin: bool) -> None:
    """Add a member, who can then log in everywhere.

    \b
    Example: darkpeak member add ada --name "Ada Lovelace"
    """
    from darkpeak.members.directory import Member

    directory = _directory(settings)
    directory.add(Member(uid, full_name or uid, mail), _password(from_stdin=password_stdin))
    _done(settings, uid, "added")


@command("list")
def list_(settings: Settings) -> None:
    """List the members.

    \b
    Example: darkpeak member list --json
    """
    from darkpeak import output

    found = _directory(settings).members()
    if settings.as_json:
        output.show_json(found)
    else:
        columns = ("uid", "name", "mail")
        output.show_table(columns, output.as_rows(found, columns))


@command("passwd")
@click.argument("uid")
@STDIN
def passwd(settings: Settings, uid: str, *, password_stdin: bool) -> None:
    """Give a member a new password.

    \b
    Example: darkpeak member passwd ada
    """
    directory = _directory(settings)
    directory.passwd(uid, _password(from_stdin=password_stdin))
    _done(settings, uid, "has a new password")


@command("remove")
@click.argument("uid")
def remove(settings: Settings, uid: str) -> None:
    """Remove a member, from all groups as well.

    \b
    Example: darkpeak member remove ada
    """
    _directory(settings).remove(uid)
    _done(settings, uid, "removed")


for each in (add, list_, passwd, remove):
    member.add_command(each)

COMMANDS = (member,)
