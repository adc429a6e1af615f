"""Commands about what services store of a member: member export, member forget, member wishes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import YES, Settings, command
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.vocabulary import ACCOUNT, DIRECTORY

if TYPE_CHECKING:
    from darkpeak.engine.inside import Inside


@command("export")
@click.argument("uid")
@click.argument("to", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--hand-over", is_flag=True, help="Let the member fetch it on their own page, for seven days.")
def export(settings: Settings, uid: str, to: Path, *, hand_over: bool) -> None:
    """Write what all services store of a member into a folder.

    The files are in open formats; `index.html` in the folder leads to them. Give them to the member. Each service with
    a script for it (scripts/export-member) has a folder of its own. After an interruption, run the same command again:
    it goes on with the services that are missing. Exits 3 if a service could not do it.

    With --hand-over, the member can then fetch it on their own page at the login page (`member wishes`).

    \b
    Example: darkpeak member export ada ./ada
    """
    from datetime import datetime

    from darkpeak import output
    from darkpeak.actions import wishes as actions
    from darkpeak.actions.export_member import export_member

    page = _page(settings) if hand_over else None
    targets = settings.own_targets(settings.collective(), ())
    with settings.progress() as progress:
        done = export_member(targets, uid, to.absolute(), datetime.now().astimezone(), progress)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item.service}: {item.done}" for item in done if not item.failed)
        output.show_lines([f"open {to / 'index.html'} in a browser"])
    failed = ", ".join(f"{item.service} ({item.done})" for item in done if item.failed)
    if failed:
        raise SystemFailure(f"{uid}: not exported from {failed}", hint="see why, then run the same command again")
    if page:
        actions.hand_over(page, uid, to.absolute())
        output.note(f"{uid} can fetch it on their own page; remove your copy: rm -r {to}")


@command("wishes")
def wishes(settings: Settings) -> None:
    """List what members ask the admins for, on their own page.

    A member can ask there for a copy of all data, and to be forgotten. Each line has the command that does it. Then it
    is no longer in the list. The service `account` has that page (darkpeak add account).

    \b
    Example: darkpeak member wishes
    """
    from darkpeak import output
    from darkpeak.actions.wishes import find_wishes

    found = find_wishes(_page(settings))
    output.show_rows(found, ("day", "uid", "wish", "do"), {}, as_json=settings.as_json)


def _page(settings: Settings) -> "Inside":
    """Return the container with the members' own page."""
    from darkpeak.actions.wishes import find_page

    collective = settings.collective()
    known = {service.name for service in collective.services}
    return find_page(settings.target(collective, *(known & {ACCOUNT})))


@command("forget")
@click.argument("uid")
@click.option("--also", multiple=True, metavar="TEXT", help="Search for this text too, such as an earlier name.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and where the member is found; change nothing.")
@YES
def forget(settings: Settings, uid: str, also: tuple[str, ...], *, dry_run: bool, yes: bool) -> None:
    """Remove a member from all services.

    First write out what the member takes with them: `member export`. Then this locks the member, ends all sessions, and
    has each service remove or anonymise what it stores of them (scripts/forget-member). The member's entry in the
    directory is removed last. At the end it shows what backups still have and until when, and searches all volumes and
    logs for the uid, the full name and the mail address.

    After an interruption or a failure, run the same command again: it goes on. Exits 3 if a service could not do it.

    \b
    Example: darkpeak member forget ada --dry-run
    """
    from darkpeak import output
    from darkpeak.actions import forget_member as actions
    from darkpeak.actions.directory import find_directory

    collective = settings.collective()
    if settings.host:
        actions.require_whole(collective, settings.host)
    directory = find_directory(settings.target(collective, DIRECTORY))
    account = actions.find_account(directory, uid)
    texts = actions.texts_about(uid, account, also)
    targets = settings.own_targets(collective, ())
    if not account:
        output.note(f"note: the directory has no member {uid}; so the full name and the mail address are not known")
    if not dry_run and not yes and output.ask_for(f"To forget {uid} for good, type the name of the member") != uid:
        raise UsageError("nothing was changed", hint="type the member's name, or give --yes")
    if account and not dry_run:
        directory.lock(uid)
    act = actions.look_for_member if dry_run else actions.forget_member
    with settings.progress() as progress:
        done = act(targets, uid, texts, progress)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(done.lines())
    if done.failed:
        failed = "; ".join(f"{item.service} ({item.done})" for item in done.failed)
        raise SystemFailure(f"{uid}: not forgotten by {failed}", hint="see why, then run the same command again")
