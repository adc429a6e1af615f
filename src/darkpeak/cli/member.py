"""Commands about members and groups: member add, list, passwd, remove; group list, join, leave."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.vocabulary import DIRECTORY

if TYPE_CHECKING:
    from darkpeak.members.directory import Directory

STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input: one line, without its line ending."
)


@click.group("member")
def member() -> None:
    """Manage the members in the directory.

    \b
    Example: darkpeak member add ada --name "Ada Lovelace"
    """


@click.group("group")
def group() -> None:
    """Manage groups of members.

    Members of the group `admins` may manage the directory.

    \b
    Example: darkpeak group join admins ada
    """


def _directory(settings: Settings) -> "Directory":
    from darkpeak.actions.directory import find_directory

    return find_directory(settings.target(settings.collective(), DIRECTORY))


def _password(*, from_stdin: bool) -> str:
    """Ask for a password twice, or read one line."""
    from darkpeak.members.member import parse_password

    if from_stdin:
        password = parse_password(sys.stdin.buffer.readline())
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise UsageError("there is no terminal to ask for the password", hint="give it with --password-stdin")
    if not password:
        raise UsageError("the password is empty", hint="type one with eight or more characters")
    return str(password)


def _show(settings: Settings, uid: str, done: str) -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json({"uid": uid, "done": done})
    else:
        output.show_lines([f"{uid}: {done}"])


def _end_sessions(settings: Settings, uid: str, done: str, *, stays: bool) -> None:
    """End the member's sessions in all services, and show what was done; `done` is what the directory did."""
    from darkpeak import output
    from darkpeak.actions.directory import end_sessions
    from darkpeak.vocabulary import MEMBER_GONE

    ended = end_sessions(settings.targets(settings.collective()), uid, stays=stays)
    if settings.as_json:
        output.show_json({"uid": uid, "done": done, "services": ended})
    else:
        output.show_lines([f"{uid}: {done}", *(f"{item.service}: {item.done}" for item in ended if not item.failed)])
    failed = [item for item in ended if item.failed]
    if failed:
        what = ", ".join(f"{item.service} ({item.done})" for item in failed)
        script = f"services/{failed[0].service}/scripts/{MEMBER_GONE} {uid}{' passwd' if stays else ''}"
        raise SystemFailure(
            f"{uid}: {done}, but may still be logged in to {what}",
            hint=f"run the script of each of them yourself: {script}",
        )


@command("add")
@click.argument("uid")
@click.option("--name", "full_name", help="The full name (default: the uid).")
@click.option("--mail", default="", help="The mail address; only the member and the directory's admins can see it.")
@STDIN
def add(settings: Settings, uid: str, full_name: str | None, mail: str, *, password_stdin: bool) -> None:
    """Add a member, who can then log in to every service.

    \b
    Example: darkpeak member add ada --name "Ada Lovelace"
    """
    from darkpeak.members.member import Member

    directory = _directory(settings)
    directory.add(Member(uid, full_name or uid, mail), _password(from_stdin=password_stdin))
    _show(settings, uid, "added")


@command("list")
def list_members(settings: Settings) -> None:
    """List the members.

    \b
    Example: darkpeak member list --json
    """
    from darkpeak import output

    output.show_rows(_directory(settings).members(), ("uid", "name", "mail"), {}, as_json=settings.as_json)


@command("passwd")
@click.argument("uid")
@STDIN
def passwd(settings: Settings, uid: str, *, password_stdin: bool) -> None:
    """Give a member a new password.

    It also ends the member's sessions in all services that have a script for it (scripts/member-gone). ssh keys for git
    stay. Exits 3 if the sessions in a service could not be ended.

    \b
    Example: darkpeak member passwd ada
    """
    directory = _directory(settings)
    directory.passwd(uid, _password(from_stdin=password_stdin))
    _end_sessions(settings, uid, "has a new password", stays=True)


@command("remove")
@click.argument("uid")
def remove(settings: Settings, uid: str) -> None:
    """Remove a member, also from all groups.

    It also ends the member's sessions in all services that have a script for it (scripts/member-gone), and removes
    their ssh keys from git. What the member wrote stays: pages, messages, rooms, repositories. Do not give the name to
    another person. Exits 3 if a service could not do it; the member is removed nevertheless.

    \b
    Example: darkpeak member remove ada
    """
    from darkpeak import output

    _directory(settings).remove(uid)
    try:
        _end_sessions(settings, uid, "removed", stays=False)
    finally:
        output.note(f"what {uid} wrote stays: pages, messages, rooms, repositories; give the name to nobody else")


@command("list")
def list_groups(settings: Settings) -> None:
    """List the groups and their members.

    \b
    Example: darkpeak group list
    """
    from darkpeak import output

    output.show_rows(_directory(settings).groups(), ("name", "members"), {}, as_json=settings.as_json)


@command("join")
@click.argument("name", metavar="GROUP")
@click.argument("uid")
def join(settings: Settings, name: str, uid: str) -> None:
    """Add a member to a group; a new group is made first.

    \b
    Example: darkpeak group join admins ada
    """
    _directory(settings).join(uid, name)
    _show(settings, uid, f"is in {name}")


@command("leave")
@click.argument("name", metavar="GROUP")
@click.argument("uid")
def leave(settings: Settings, name: str, uid: str) -> None:
    """Remove a member from a group.

    \b
    Example: darkpeak group leave admins ada
    """
    _directory(settings).leave(uid, name)
    _show(settings, uid, f"is no longer in {name}")


for each in (add, list_members, passwd, remove):
    member.add_command(each)
for each in (list_groups, join, leave):
    group.add_command(each)

COMMANDS = (member, group)
