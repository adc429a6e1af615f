"""Commands about snapshots in repositories: backup, snapshots, prune, scrub."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import CheckFailed, SystemFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.actions.backup import BackedUp
    from darkpeak.actions.data import ScriptRun
    from darkpeak.collective.model import Collective

INIT = "init"


@command("backup")
@click.argument("names", metavar="[SERVICE…|init]", nargs=-1)
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Into a plain folder here, no repository.")
@IDENTITY
def backup(settings: Settings, names: tuple[str, ...], to: Path | None, identities: tuple[Path, ...]) -> None:
    """Save a snapshot of each service in every repository; all services, or those named.

    Each service's own scripts/backup writes the parts, beside the volumes. `init` makes the key and the repositories,
    once. With --to, the parts go into DIR/SERVICE on this machine instead, as they are.

    \b
    Example: darkpeak backup wiki
    """
    from darkpeak.actions.backup import back_up

    collective = settings.collective()
    if names == (INIT,):
        _init(settings, collective, identities)
        return
    if to:
        _to_folder(settings, collective, names, to)
        return
    secret = read_key(collective, identities)
    made = []
    for target in settings.targets(collective, names):
        with session(settings, target, secret) as work:
            made += [back_up(work, service) for service in target.running]
    _show(settings, made)


def _init(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions import keys
    from darkpeak.vocabulary import KEY_FILE

    secret = read_key(collective, identities) if keys.has_key(collective) else None
    with settings.progress() as progress:
        done = keys.initialise(settings.targets(collective), secret, progress)
    if settings.as_json:
        output.show_json({"key": str(collective.root / KEY_FILE), **asdict(done)})
        return
    made = "made" if done.made else "already there"
    output.show_lines([f"{KEY_FILE}: {made}; these admins can open it: {', '.join(done.opens_for)}"])
    output.show_lines(f"{name}: ready" for name in done.repositories)
    if done.made:
        output.note(f"now: git add {KEY_FILE} && git commit; without this file, no snapshot can be read")
    if not done.enough:
        hint = "darkpeak key add ADMIN, for a second person"
        raise CheckFailed("fewer than two admins can open the backup key", hint=hint)


def _to_folder(settings: Settings, collective: "Collective", names: tuple[str, ...], to: Path) -> None:
    from darkpeak.actions.data import run_script

    targets = settings.targets(collective, names)
    done = [
        run_script(target, service, "backup", to / service.name) for target in targets for service in target.running
    ]
    show_scripts(settings, done)


def show_scripts(settings: Settings, done: "Sequence[ScriptRun]") -> None:
    """Show what services' own scripts did."""
    from darkpeak import output

    for item in done:
        if item.output:
            output.note(item.output)
    if settings.as_json:
        output.show_json([{"service": item.service, "done": item.done, "folder": item.folder} for item in done])
    else:
        output.show_lines(f"{item.service}: {item.done} done, {item.folder}" for item in done)


def _show(settings: Settings, made: "Sequence[BackedUp]") -> None:
    from darkpeak import output

    columns = ("service", "snapshot", "size", "repositories")
    if settings.as_json:
        output.show_json(made)
    else:
        output.show_table(("service", "snapshot", "bytes", "repositories"), output.as_rows(made, columns))
    for item in made:
        for line in item.suspicious:
            output.note(f"{item.service}: please check: {line}")
        for line in item.notes:
            output.note(f"note: {item.service}: {line}")
    bad = [f"{item.service}: {failure}" for item in made for failure in item.failures]
    if bad:
        raise SystemFailure("; ".join(bad), hint="a service that is not in the table above has no new snapshot")


@command("snapshots")
@click.argument("name", metavar="[SERVICE]", required=False)
@IDENTITY
def snapshots(settings: Settings, name: str | None, identities: tuple[Path, ...]) -> None:
    """Show the snapshots in the repositories, the newest last.

    \b
    Example: darkpeak snapshots wiki
    """
    from darkpeak import output

    collective = settings.collective()
    target = settings.targets(collective, (name,) if name else ())[0]
    with session(settings, target, read_key(collective, identities)) as work:
        found = work.snapshots(name)
    if settings.as_json:
        output.show_json([{"name": item.name, **asdict(item)} for item in found])
        return
    rows = [[item.name, item.made[:16], item.kind, item.repository, item.restic_id[:8]] for item in found]
    output.show_table(("snapshot", "made", "kind", "repository", "restic's id"), rows)


@command("prune")
@click.option("--dry-run", is_flag=True, help="Only show which would be deleted.")
@IDENTITY
def prune(settings: Settings, identities: tuple[Path, ...], *, dry_run: bool) -> None:
    """Delete snapshots that the retention policy ([backup] keep) does not cover, and show why the rest are kept.

    The newest by number always stay, whatever a clock said. Append-only repositories refuse deletion: run prune from
    another machine, with credentials that may delete.

    \b
    Example: darkpeak prune --dry-run
    """
    from darkpeak import output
    from darkpeak.actions import prune as pruning

    collective = settings.collective()
    target = settings.targets(collective)[0]
    with session(settings, target, read_key(collective, identities)) as work:
        decided = pruning.decide(work)
        if not dry_run:
            pruning.prune(work, decided)
    if settings.as_json:
        output.show_json(decided)
        return
    gone = "would be deleted" if dry_run else "deleted"
    rows = [[item.known.name, item.known.repository, ", ".join(item.why) or gone] for item in decided]
    output.show_table(("snapshot", "repository", "why"), rows, {gone: "yellow"})


@command("scrub")
@click.option("--all", "whole", is_flag=True, help="All of it, and not only the next thirtieth.")
@IDENTITY
def scrub(settings: Settings, identities: tuple[Path, ...], *, whole: bool) -> None:
    """Read the next thirtieth of each repository back, byte for byte; exits 1 when something is damaged.

    Run once a day, it reads all of a repository in a month. Bits rot in silence, and only reading finds it.

    \b
    Example: darkpeak scrub
    """
    from darkpeak import output
    from darkpeak.actions.scrub import scrub as scrubbing

    collective = settings.collective()
    target = settings.targets(collective)[0]
    with session(settings, target, read_key(collective, identities)) as work:
        done = scrubbing(work, whole=whole)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item.repository}: {item.share} read back" for item in done if item.good)
    bad = [item.message for item in done if not item.good]
    if bad:
        raise CheckFailed("; ".join(bad), hint="make a new repository from one that is whole, and keep this one aside")


COMMANDS = (backup, snapshots, prune, scrub)
