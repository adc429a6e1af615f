"""The command member import."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import YES, Settings, command
from darkpeak.errors import SystemFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.deploy.member_gone import Ended
    from darkpeak.members.bulk import Import


@command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@YES
def import_members(settings: Settings, file: Path, *, dry_run: bool, yes: bool) -> None:
    """Add and change many members, from a CSV or LDIF file.

    It shows what it would change, and asks. It adds members, groups and ssh keys, changes names and mail addresses, and
    removes nothing. A file has no passwords, so new members get theirs with `member invite`. The columns of CSV: uid,
    name, mail, groups, ssh_keys; only uid is required. After an interruption, run it again. Exits 3 if a service did
    not take an ssh key.

    \b
    Example: darkpeak member import members.csv --dry-run
    """
    from darkpeak import output
    from darkpeak.actions.directory import import_members as take
    from darkpeak.cli.member import directory_of
    from darkpeak.members.admin_groups import group_of
    from darkpeak.members.bulk import parse_file, plan_import

    directory, collective = directory_of(settings), settings.collective()
    followed = {group_of(service.name): service.name for service in collective.services}
    planned = plan_import(parse_file(file.name, _read(file)), directory.accounts(), followed)
    if not settings.as_json:
        output.show_lines([*map(str, planned.steps), *planned.left] or ["nothing to do: the directory has all of it"])
    ended: list[Ended] = []
    if planned.steps and not dry_run:
        if not yes and not output.ask(f"Change the directory as shown ({len(planned.steps)})?"):
            raise UsageError("nothing was changed", hint="to do it without a question, use --yes")
        ended = take(directory, settings.targets(collective), planned.steps)
    _show(settings, planned, ended, done=not dry_run)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="name a .csv or .ldif file") from error


def _show(settings: Settings, planned: "Import", ended: "Sequence[Ended]", *, done: bool) -> None:
    """Show what was done; raise SystemFailure if a service did not take a key."""
    from darkpeak import output

    if settings.as_json:
        steps = list(map(str, planned.steps))
        output.show_json({"steps": steps, "left": planned.left, "done": done, "services": ended})
    elif planned.steps and done:
        output.show_lines(["done", *(f"{item.service}: {item.done}" for item in ended if not item.failed)])
    failed = ", ".join(sorted({f"{item.service} ({item.done})" for item in ended if item.failed}))
    if failed:
        hint = "see why, then give it each key again: darkpeak member ssh-key add UID FILE"
        raise SystemFailure(f"the directory has all of it, but not all ssh keys are in {failed}", hint=hint)
