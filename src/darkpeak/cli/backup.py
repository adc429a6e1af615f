"""Commands about snapshots in repositories: backup, snapshots, prune, scrub."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import CheckFailed, SystemFailure, UsageError, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from darkpeak.actions.backup import BackedUp
    from darkpeak.actions.data import ScriptRun
    from darkpeak.collective.model import Collective
    from darkpeak.deploy.target import Target

INIT = "init"


@command("backup")
@click.argument("names", metavar="[SERVICE…|init]", nargs=-1)
@click.option(
    "--to", metavar="DIR", type=click.Path(path_type=Path), help="Write the parts into a folder of this machine."
)
@click.option(
    "--secret",
    "secrets",
    metavar="NAME=FILE",
    multiple=True,
    help="With init: a credential of a repository, such as ssh-key or known-hosts.",
)
@IDENTITY
def backup(
    settings: Settings,
    names: tuple[str, ...],
    to: Path | None,
    secrets: tuple[str, ...],
    identities: tuple[Path, ...],
) -> None:
    """Save a snapshot of each service in every repository.

    Without a name, it backs up all services. Each service's own scripts/backup writes the parts of its snapshot, on
    the machine that has the volumes. With --to, the parts go into DIR/SERVICE on this machine instead, unencrypted.

    `darkpeak backup init` makes the key and the repositories, once. A repository that needs a login gets it with
    --secret: ssh-key and known-hosts for sftp, aws for s3, rclone-conf for rclone, login for rest.

    Exits 1 if your ssh key does not open the backup key or a repository, or (init) if fewer than two admins can open
    the key.

    \b
    Example: darkpeak backup wiki
    Example: darkpeak backup init --secret ssh-key=backup-login --secret known-hosts=backup-hosts
    """
    from darkpeak.actions.backup import back_up_each

    collective = settings.collective()
    if names == (INIT,):
        _init(settings, collective, identities, _read_secrets(secrets))
        return
    if secrets:
        raise UsageError("--secret needs init", hint="later, store a credential with: darkpeak key secret")
    if to:
        _to_folder(settings, collective, names, to)
        return
    secret = read_key(collective, identities)

    def act(target: "Target") -> "Iterator[BackedUp]":
        with session(settings, target, secret) as work:
            yield from back_up_each(work, target.running)

    _show(settings, settings.each(settings.targets(collective, names), act))


def _read_secrets(secrets: "Sequence[str]") -> dict[str, str]:
    """Return the content of each NAME=FILE, by its name."""
    found = {}
    for name, mark, file in (word.partition("=") for word in secrets):
        if not mark:
            raise UsageError(f"--secret {name} names no file", hint=f"write --secret {name}=FILE")
        try:
            found[name] = Path(file).expanduser().read_text()
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError(f"{file} cannot be read: {why}", hint=f"name the file with the {name}") from error
    return found


def _init(settings: Settings, collective: "Collective", identities: tuple[Path, ...], given: dict[str, str]) -> None:
    from darkpeak import output
    from darkpeak.actions import keys
    from darkpeak.vocabulary import KEY_FILE

    secret = read_key(collective, identities) if keys.has_key(collective) else None
    with settings.progress() as progress:
        done = keys.initialise(settings.targets(collective), secret, given, progress)
    if settings.as_json:
        output.show_json({"key": str(collective.root / KEY_FILE), **asdict(done)})
        return
    made = "made" if done.made else "already there"
    output.show_lines([f"{KEY_FILE}: {made}; these admins can open it: {', '.join(done.opens_for)}"])
    output.show_lines(f"{name}: ready" for name in done.repositories)
    if done.made:
        output.note(f"without {KEY_FILE}, no snapshot can be read; commit it: git add {KEY_FILE} && git commit")
    if not done.enough:
        hint = "add a second admin: darkpeak key add ADMIN"
        raise CheckFailed("fewer than two admins can open the backup key", hint=hint)


def _to_folder(settings: Settings, collective: "Collective", names: tuple[str, ...], to: Path) -> None:
    from darkpeak.actions.data import back_up_to
    from darkpeak.deploy.target import living
    from darkpeak.evidence.ownership import require_ours

    targets = living(settings.targets(collective, names))
    for target in targets:
        require_ours(target.collective, target.engine)
    done, failed = back_up_to(targets, to)
    show_scripts(settings, done)
    if failed:
        raise joined(failed)


def show_scripts(settings: Settings, done: "Sequence[ScriptRun]") -> None:
    """Show what the services' own scripts did."""
    from darkpeak import output

    for item in done:
        if item.output:
            output.note(item.output)
    if settings.as_json:
        output.show_json(
            [
                {"service": item.service, "done": item.done, "folder": item.folder, "verified": item.verified}
                for item in done
            ]
        )
    else:
        checked = {item.service: f"; verified: {item.verified}" if item.verified else "" for item in done}
        output.show_lines(f"{item.service}: {item.done} done, {item.folder}{checked[item.service]}" for item in done)


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
        raise SystemFailure("; ".join(bad), hint="fix that, then back up again: darkpeak backup SERVICE")


@command("snapshots")
@click.argument("name", metavar="[SERVICE]", required=False)
@IDENTITY
def snapshots(settings: Settings, name: str | None, identities: tuple[Path, ...]) -> None:
    """Show the snapshots in the repositories, the newest last.

    Exits 1 if your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak snapshots wiki
    """
    from darkpeak import output

    collective = settings.collective()
    target = settings.target(collective, *((name,) if name else ()))
    with session(settings, target, read_key(collective, identities)) as work:
        found = work.snapshots(name)
    if settings.as_json:
        output.show_json([{"name": item.name, **asdict(item)} for item in found])
        return
    rows = [[item.name, item.made[:16], item.kind, item.repository, item.restic_id[:8]] for item in found]
    output.show_table(("snapshot", "made", "kind", "repository", "restic id"), rows)


@command("prune")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@IDENTITY
def prune(settings: Settings, identities: tuple[Path, ...], *, dry_run: bool) -> None:
    """Delete snapshots that the retention policy does not keep.

    The policy is `keep` under [backup] in collective.toml. The table shows why each of the other snapshots stays. The
    newest snapshots of a service, by number, always stay, even if a clock was wrong. Append-only repositories refuse
    deletion: run prune from another machine, with credentials that may delete.

    Exits 1 if your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak prune --dry-run
    """
    from darkpeak import output
    from darkpeak.actions import prune as pruning

    collective = settings.collective()
    target = settings.target(collective)
    with session(settings, target, read_key(collective, identities)) as work:
        decided = pruning.decide(work)
        if not dry_run:
            pruning.prune(work, decided)
    if settings.as_json:
        output.show_json(decided)
        return
    gone = "would be deleted" if dry_run else "deleted"
    rows = [[item.snapshot.name, item.snapshot.repository, ", ".join(item.why) or gone] for item in decided]
    output.show_table(("snapshot", "repository", "why"), rows, {gone: "yellow"})


@command("scrub")
@click.option("--all", "whole", is_flag=True, help="Read all of it, and not only the next thirtieth.")
@IDENTITY
def scrub(settings: Settings, identities: tuple[Path, ...], *, whole: bool) -> None:
    """Read a part of each repository back, to find damage.

    Each run reads the next thirtieth, byte for byte: one run a day reads the whole repository in a month. Disks lose
    data without an error; only reading finds that.

    Exits 1 if something is damaged, or if your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak scrub
    """
    from darkpeak import output
    from darkpeak.actions.scrub import scrub as scrubbing

    collective = settings.collective()
    target = settings.target(collective)
    with session(settings, target, read_key(collective, identities)) as work:
        done = scrubbing(work, whole=whole)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item.repository}: {item.share} read back" for item in done if item.good)
    bad = [item.message for item in done if not item.good]
    if bad:
        raise CheckFailed("; ".join(bad), hint="keep the damaged repository, and make a new one from an intact one")


COMMANDS = (backup, snapshots, prune, scrub)
