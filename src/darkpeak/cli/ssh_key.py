"""Commands about the ssh keys of members: member ssh-key add, list, remove."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import SystemFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.deploy.member_gone import Ended

UID = click.argument("uid")


@click.group("ssh-key")
def ssh_key() -> None:
    """Manage the ssh keys of members.

    The directory keeps them, and services that use them (git) get them from there.

    \b
    Example: darkpeak member ssh-key add ada ada.pub
    """


@command("add")
@UID
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
def add(settings: Settings, uid: str, file: Path | None) -> None:
    """Add a public key of a member, from a file or standard input.

    Exits 3 if a service did not take it; the directory has it then, and the same command can be run again.

    \b
    Example: darkpeak member ssh-key add ada ada.pub
    """
    from darkpeak.actions.directory import add_keys
    from darkpeak.cli.member import directory_of
    from darkpeak.members.ssh_key import parse_key

    key = parse_key(_read(file))
    directory_of(settings).add_ssh_key(uid, key)
    done = add_keys(settings.targets(settings.collective()), uid, [key])
    _show(settings, f"{uid}: has the key {key.fingerprint}", done)


@command("list")
@UID
def list_keys(settings: Settings, uid: str) -> None:
    """List the ssh keys of a member.

    Keys that were only given to git are not in the list.

    \b
    Example: darkpeak member ssh-key list ada
    """
    from darkpeak import output
    from darkpeak.cli.member import directory_of

    keys = directory_of(settings).keys(uid)
    if settings.as_json:
        output.show_json([{"fingerprint": key.fingerprint, "kind": key.kind, "comment": key.comment} for key in keys])
    else:
        output.show_rows(keys, ("fingerprint", "kind", "comment"), {}, as_json=False)


@command("remove")
@UID
@click.argument("fingerprint")
def remove(settings: Settings, uid: str, fingerprint: str) -> None:
    """Remove an ssh key of a member, also from the services.

    Exits 3 if a service did not remove it.

    \b
    Example: darkpeak member ssh-key remove ada SHA256:4ycB2ITe9bB0ywNS1Hc8ZHMcQQPVDIUQVYzBmLMpSVI
    """
    from darkpeak.actions.directory import remove_ssh_key
    from darkpeak.cli.member import directory_of

    key = directory_of(settings).remove_ssh_key(uid, fingerprint)
    done = remove_ssh_key(settings.targets(settings.collective()), uid, key)
    _show(settings, f"{uid}: no longer has the key {fingerprint}", done)


def _read(file: Path | None) -> str:
    try:
        return file.read_text() if file else "".join(sys.stdin)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file or 'standard input'} cannot be read as a public key", hint="give a .pub file"
        ) from error


def _show(settings: Settings, line: str, done: "Sequence[Ended]") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json({"done": line, "services": done})
    else:
        output.show_lines([line, *(f"{item.service}: {item.done}" for item in done if not item.failed)])
    failed = ", ".join(f"{item.service} ({item.done})" for item in done if item.failed)
    if failed:
        raise SystemFailure(f"{line}, but not in {failed}", hint="see why, then run the same command again")


for each in (add, list_keys, remove):
    ssh_key.add_command(each)
