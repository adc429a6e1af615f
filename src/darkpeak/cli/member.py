"""Commands about members: add, show, list, rename, lock, unlock, passwd, remove, log."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.invite import invite, login_page, show_invitation
from darkpeak.cli.member_data import export, forget, wishes
from darkpeak.cli.member_import import import_members
from darkpeak.cli.ssh_key import ssh_key
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.vocabulary import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.deploy.member_gone import Ended
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


def directory_of(settings: Settings) -> "Directory":
    """Return the running directory of the collective."""
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


def show_done(settings: Settings, uid: str, done: str) -> None:
    """Show what was done with a member."""
    from darkpeak import output

    if settings.as_json:
        output.show_json({"uid": uid, "done": done})
    else:
        output.show_lines([f"{uid}: {done}"])


def _end_sessions(settings: Settings, uid: str, done: str, *, stays: bool) -> None:
    """End the member's sessions in all services, and show what was done; `done` is what the directory did."""
    from darkpeak.actions.directory import end_sessions

    ended = end_sessions(settings.targets(settings.collective()), uid, stays=stays)
    _show_ended(settings, uid, done, ended, "passwd" if stays else "")


def _show_ended(settings: Settings, uid: str, done: str, ended: "Sequence[Ended]", argument: str = "") -> None:
    """Show what the directory and the services did; raise SystemFailure if a service failed."""
    from darkpeak import output
    from darkpeak.vocabulary import MEMBER_GONE

    if settings.as_json:
        output.show_json({"uid": uid, "done": done, "services": ended})
    else:
        output.show_lines([f"{uid}: {done}", *(f"{item.service}: {item.done}" for item in ended if not item.failed)])
    failed = [item for item in ended if item.failed]
    if failed:
        what = ", ".join(f"{item.service} ({item.done})" for item in failed)
        script = f"services/{failed[0].service}/scripts/{MEMBER_GONE} {uid} {argument}".rstrip()
        raise SystemFailure(
            f"{uid}: {done}, but may still be logged in to {what}",
            hint=f"run the script of each of them yourself: {script}",
        )


@command("add")
@click.argument("uid")
@click.option("--name", "full_name", help="The full name (default: the uid).")
@click.option("--mail", default="", help="The mail address; only the member and the directory's admins can see it.")
@click.option("--password-stdin", "how", flag_value="stdin", help="Read the password from standard input: one line.")
@click.option("--invite", "how", flag_value="link", help="Set no password: print a link (see `member invite`).")
def add(settings: Settings, uid: str, full_name: str | None, mail: str, how: str | None) -> None:
    """Add a member, who can then log in to every service.

    \b
    Example: darkpeak member add ada --name "Ada Lovelace"
    """
    from darkpeak.members.member import Member

    directory, page = directory_of(settings), login_page(settings) if how == "link" else None
    directory.add(Member(uid, full_name or uid, mail), "" if page else _password(from_stdin=how == "stdin"))
    if page:
        show_invitation(settings, page, uid)
    else:
        show_done(settings, uid, "added")


@command("list")
@click.option("--format", "form", type=click.Choice(["csv", "ldif"]), help="Print a file for `member import`.")
def list_members(settings: Settings, form: str | None) -> None:
    """List the members.

    With --format, it prints all that the directory knows of them, except passwords: as CSV for a table, or as LDIF for
    another LDAP server.

    \b
    Example: darkpeak member list --format csv >members.csv
    """
    from darkpeak import output
    from darkpeak.members.bulk import make_csv, make_ldif

    directory = directory_of(settings)
    if form:
        make = {"csv": make_csv, "ldif": make_ldif}[form]
        output.show_lines(make(directory.accounts()).splitlines())
    else:
        output.show_rows(directory.members(), ("uid", "name", "mail"), {}, as_json=settings.as_json)


@command("show")
@click.argument("uid")
def show(settings: Settings, uid: str) -> None:
    """Show all that the directory knows of a member.

    `last_login` is the day of the last login to any service that asks the directory.

    \b
    Example: darkpeak member show ada
    """
    from darkpeak import output

    found = directory_of(settings).account(uid)
    if settings.as_json:
        output.show_json(found)
        return
    facts = {
        "uid": found.uid,
        "name": found.name,
        "mail": found.mail,
        "groups": ", ".join(found.groups),
        "locked": "yes" if found.locked else "no",
        "last login": found.last_login or "never",
        "ssh keys": str(len(found.keys)),
    }
    output.show_lines(f"{name + ':':12}{value}".rstrip() for name, value in facts.items())


@command("rename")
@click.argument("uid")
@click.argument("new", metavar="NEW_UID")
def rename(settings: Settings, uid: str, new: str) -> None:
    """Give a member another uid.

    Groups, password and ssh keys stay theirs. All sessions end. Services keep what they stored under the old name:
    pages' history, rooms, contacts, messages, repositories and their rules. So give the old name to nobody else.
    `member forget OLD_UID --dry-run` shows where it still is.
    Exits 3 if a service could not do its part.

    \b
    Example: darkpeak member rename ada ada.lovelace
    """
    from darkpeak import output
    from darkpeak.actions.directory import rename_member

    collective = settings.collective()
    ended = rename_member(directory_of(settings), settings.targets(collective), uid, new)
    try:
        _show_ended(settings, uid, f"is now {new}", ended)
    finally:
        output.note(f"services keep what they stored under the name {uid}; give this name to nobody else")
        output.note(f"to see where it is: darkpeak member forget {uid} --dry-run")


@command("lock")
@click.argument("uid")
def lock(settings: Settings, uid: str) -> None:
    """Lock a member: no password is right until `member unlock`.

    It also ends the member's sessions in all services, and removes their ssh keys from git; `member unlock` adds those
    back that the directory knows. Exits 3 if a service could not do it; the member is locked nevertheless.

    \b
    Example: darkpeak member lock ada
    """
    directory_of(settings).lock(uid)
    _end_sessions(settings, uid, "locked", stays=False)


@command("unlock")
@click.argument("uid")
def unlock(settings: Settings, uid: str) -> None:
    """Unlock a member, also one who was locked because of guesses.

    \b
    Example: darkpeak member unlock ada
    """
    from darkpeak.actions.directory import add_keys

    directory = directory_of(settings)
    directory.lock(uid, locked=False)
    _show_ended(settings, uid, "unlocked", add_keys(settings.targets(settings.collective()), uid, directory.keys(uid)))


@command("log")
@click.argument("uid", required=False)
def changes(settings: Settings, uid: str | None) -> None:
    """Show who changed what in the directory.

    With a UID, only the changes of this member.

    The directory keeps this for 90 days. Values are not shown.

    \b
    Example: darkpeak member log ada
    """
    from darkpeak import output

    found = directory_of(settings).changes(uid or "")
    output.show_rows(found, ("when", "who", "of", "what"), {}, as_json=settings.as_json)


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
    directory = directory_of(settings)
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

    directory_of(settings).remove(uid)
    try:
        _end_sessions(settings, uid, "removed", stays=False)
    finally:
        output.note(f"what {uid} wrote stays: pages, messages, rooms, repositories; give the name to nobody else")


for each in (
    add,
    show,
    list_members,
    rename,
    lock,
    unlock,
    passwd,
    remove,
    changes,
    import_members,
    export,
    forget,
    wishes,
    invite,
    ssh_key,
):
    member.add_command(each)

COMMANDS = (member,)
