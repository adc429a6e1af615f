"""Commands that look after the repositories: prune, scrub."""

from pathlib import Path

import click

from darkpeak.cli.backups import IDENTITY, read_key, session
from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed


@command("prune")
@click.option("--dry-run", is_flag=True, help="Only show which would go.")
@IDENTITY
def prune(settings: Settings, identities: tuple[Path, ...], *, dry_run: bool) -> None:
    """Remove the sets that [backup] keep has no reason for, and say why the others stay.

    The newest by number always stay, whatever a clock said. A repository that lets us only append says no: then run
    this with credentials that may remove, from another machine than the one that makes the backups.

    \b
    Example: darkpeak prune --dry-run
    """
    from darkpeak import output
    from darkpeak.actions import care

    collective = settings.collective()
    group = settings.groups(collective)[0]
    with session(settings, group, read_key(collective, identities)) as work:
        decided = care.decide(work)
        if not dry_run:
            care.prune(work, decided)
    if settings.as_json:
        output.show_json(decided)
        return
    gone = "would go" if dry_run else "removed"
    rows = [[item.known.name, item.known.repository, ", ".join(item.why) or gone] for item in decided]
    output.show_table(("set", "repository", "why"), rows, {gone: "yellow"})


@command("scrub")
@click.option("--all", "whole", is_flag=True, help="All of it, and not only the next thirtieth.")
@IDENTITY
def scrub(settings: Settings, identities: tuple[Path, ...], *, whole: bool) -> None:
    """Read the next thirtieth of each repository back, byte for byte; 1 when something is damaged.

    Once a day, so all of it is read in a month. Bits rot in silence, and only reading finds it.

    \b
    Example: darkpeak scrub
    """
    from darkpeak import output
    from darkpeak.actions import care

    collective = settings.collective()
    group = settings.groups(collective)[0]
    with session(settings, group, read_key(collective, identities)) as work:
        done = care.scrub(work, whole=whole)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item.repository}: {item.share} read back" for item in done if item.good)
    bad = [item.said for item in done if not item.good]
    if bad:
        raise CheckFailed("; ".join(bad), hint="make a new repository from one that is whole, and keep this one aside")


COMMANDS = (prune, scrub)
