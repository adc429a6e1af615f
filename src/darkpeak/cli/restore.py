"""Commands that restore: restore, drill."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darkpeak.cli.backup import show_scripts
from darkpeak.cli.common import SERVICES, Settings, command
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import CheckFailed, SystemFailure, UsageError

if TYPE_CHECKING:
    from darkpeak.actions.copy import Copied
    from darkpeak.actions.drill import Drilled
    from darkpeak.actions.recover import Recovered
    from darkpeak.actions.restore import Restored
    from darkpeak.actions.session import Session
    from darkpeak.collective.model import Collective
    from darkpeak.deploy.target import Target

NO_VERIFY = "not verified: it has no scripts/verify"


@command("restore")
@click.argument("name", metavar="[SERVICE]", required=False)
@click.option("--all", "everything", is_flag=True, help="Restore all services on an empty daemon.")
@click.option("--snapshot", metavar="NAME", help="A name of darkpeak snapshots (default: the newest).")
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Only write the parts into a new folder.")
@click.option("--as", "project", metavar="NAME", help="Restore into a copy beside the live service.")
@click.option("--from", "source", metavar="DIR", type=click.Path(path_type=Path), help="Restore from a folder here.")
@click.option("--discard", is_flag=True, help="Give up the present state, if it cannot be saved.")
@click.option("--explain", is_flag=True, help="Print the commands that restore it without darkpeak.")
@IDENTITY
def restore(settings: Settings, name: str | None, identities: tuple[Path, ...], **options: Any) -> None:
    """Restore a service from a snapshot.

    The snapshot is verified before anything is touched. The present state becomes a snapshot first; it is restored if
    the restored service does not become healthy, or if its scripts/verify fails. With --as, the live service is not
    touched: a copy runs beside it until you remove it. The copy has no published ports and no network to the outside.

    --all is for a lost machine. With a clone of this repository, your ssh key and an empty daemon, it starts and
    restores every service, first those that others depend on. If it is interrupted, run it again: it continues from
    there. A service that was there before is not touched.

    Exits 1 if the snapshot is damaged, if the restored service does not pass its checks, if your ssh key does not
    open the backup key or a repository, or (--all) if a service was there before.

    \b
    Example: darkpeak restore wiki --snapshot wiki-17
    """
    _check_options(name, options)
    collective = settings.deployable() if options["everything"] else settings.collective()
    if name is None:
        _recover(settings, collective, identities)
    elif options["explain"]:
        _explain(settings, collective, name, options["snapshot"], identities)
    elif options["source"]:
        _from_folder(settings, collective, name, options["source"])
    elif options["to"]:
        _to_folder(settings, collective, name, identities, options)
    elif name not in {service.name for service in collective.services}:
        _refuse_lost(settings, collective, name, identities, options["snapshot"])
    else:
        target = settings.target(collective, name)
        with session(settings, target, read_key(collective, identities)) as work:
            done, lines = _restore(work, options)
        _show(settings, done, lines)


def _check_options(name: str | None, options: dict[str, Any]) -> None:
    """Refuse options that exclude each other."""
    ways = [options[key] for key in ("to", "project", "source", "explain")]
    if sum(map(bool, ways)) > 1:
        raise UsageError("--to, --as, --from and --explain exclude each other", hint="give only one of them")
    if options["everything"] != (name is None) or (options["everything"] and any((*ways, options["snapshot"]))):
        raise UsageError("give one service, or only --all", hint="see how it is used: darkpeak restore --help")


def _restore(work: "Session", options: dict[str, Any]) -> tuple[Any, list[str]]:
    """Restore as the options say; return the result, and the lines that show it."""
    from darkpeak.actions import restore as restoring
    from darkpeak.actions.copy import restore_as

    service, snapshot = work.target.service, options["snapshot"]
    if options["project"]:
        copied = restore_as(work, service, snapshot, options["project"])
        return copied, _copied_lines(copied)
    done = restoring.restore(work, service, snapshot, discard=options["discard"])
    return done, [_restored_line(done)]


def _show(settings: Settings, done: Any, lines: Sequence[str]) -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(lines)


def _of_service(settings: Settings, collective: "Collective", name: str) -> "Target":
    """Return the engine of a service; the first one for a service that has no folder any more."""
    known = {service.name for service in collective.services}
    return settings.target(collective, *([name] if name in known else []))


def _to_folder(
    settings: Settings, collective: "Collective", name: str, identities: tuple[Path, ...], options: dict[str, Any]
) -> None:
    from darkpeak import output
    from darkpeak.actions.restore import unpack

    target = _of_service(settings, collective, name)
    with session(settings, target, read_key(collective, identities)) as work:
        done = unpack(work, name, options["snapshot"], options["to"])
    where = output.relative(Path(done.folder))
    _show(settings, done, [f"{name}: {done.snapshot} is in {where}; nothing else was touched"])
    for line in done.left_out:
        output.note(f"not written: {line}")
    if done.left_out:
        number = len(done.left_out)
        what = (
            f"{number} of the snapshot's entries {'was' if number == 1 else 'were'} not written; all others are there"
        )
        raise CheckFailed(what, where=where, hint="the lines above name them; see what restores them: --explain")


def _refuse_lost(
    settings: Settings, collective: "Collective", name: str, identities: tuple[Path, ...], snapshot: str | None
) -> None:
    """Refuse to restore into a service without a folder, with what its snapshots are; without a key, simply refuse."""
    from darkpeak import output
    from darkpeak.actions.keys import has_key
    from darkpeak.actions.ready import require_service

    try:
        if has_key(collective) and collective.backup.repositories:
            with session(settings, settings.target(collective), read_key(collective, identities)) as work:
                require_service(work, name, snapshot)
    except (CheckFailed, SystemFailure) as error:
        output.note(f"its snapshots could not be listed: {error.message}")
    settings.target(collective, name)  # this says that there is no such service


def _from_folder(settings: Settings, collective: "Collective", name: str, source: Path) -> None:
    from darkpeak.actions.data import restore_from

    with settings.progress() as progress:
        done = restore_from(settings.target(collective, name), source, progress)
    show_scripts(settings, [done])


def _explain(
    settings: Settings, collective: "Collective", name: str, snapshot: str | None, identities: tuple[Path, ...]
) -> None:
    from darkpeak import output

    _of_service(settings, collective, name)
    lines = list(_explained(collective, name, snapshot, identities))
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(lines)


def _explained(
    collective: "Collective", name: str, snapshot: str | None, identities: tuple[Path, ...]
) -> Iterator[str]:
    from darkpeak.collective.repository_url import parse
    from darkpeak.repository import by_hand

    identity = shlex.quote(str(identities[0])) if identities else by_hand.IDENTITY
    for written in collective.backup.repositories:
        yield from by_hand.explain(parse(written), name, snapshot, identity)


def _recover(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.recover import recover_all, require_all

    secret = read_key(collective, identities)

    def act(target: "Target") -> "Iterator[Recovered]":
        with session(settings, target, secret) as work:
            yield from recover_all(work)

    done = settings.each(settings.targets(collective), act)
    if settings.as_json:
        output.show_json(done)
    else:
        rows = [[item.service, item.done, item.snapshot, f"{item.seconds:.0f} s", item.message] for item in done]
        columns = ("service", "", "snapshot", "time", "message")
        output.show_table(columns, rows, {"restored": "green", "failed": "red"})
    bad = [f"{item.service}: {item.message}" for item in done if not item.good]
    if bad:
        raise SystemFailure("; ".join(bad), hint="fix that, then continue: darkpeak restore --all")
    require_all(done)


def _restored_line(done: "Restored") -> str:
    checked = f"verified: {done.verified}" if done.verified else NO_VERIFY
    kept = f"; the state before is saved as {done.kept}" if done.kept else ""
    return f"{done.service}: {done.snapshot} restored in {done.seconds:.0f} s, {checked}{kept}"


def _copied_lines(done: "Copied") -> list[str]:
    verified = f"verified: {done.verified}" if done.verified else NO_VERIFY
    first = f"{done.service}: {done.snapshot} runs as the project {done.project}, {verified}"
    return [first, f"  remove it: docker compose --project-name {done.project} down --volumes", *done.notes]


@command("drill")
@SERVICES
@click.option("--snapshot", metavar="NAME", help="A snapshot of one service (default: the newest).")
@click.option(
    "--spoilt",
    is_flag=True,
    help="Test the drill itself: damage the copy on purpose, which the drill must find.",
)
@IDENTITY
def drill(
    settings: Settings, names: tuple[str, ...], snapshot: str | None, identities: tuple[Path, ...], *, spoilt: bool
) -> None:
    """Test-restore the newest snapshot of each service.

    The snapshot is restored into a copy beside the live service: with the images that it was made with, without
    published ports, and without a network to the outside. The copy's health and scripts/verify are checked, and a
    backup of it is compared with the snapshot. The result is recorded on the daemon, where all admins see it. Then the
    copy is removed.

    Exits 1 if a restored service does not pass its checks (with --spoilt: if the drill does not find the damage), or if
    your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak drill wiki
    """
    from darkpeak.actions import drill as drilling

    if snapshot and len(names) != 1:
        raise UsageError("--snapshot needs exactly one service", hint="name that service")
    collective = settings.collective()
    secret = read_key(collective, identities)

    def act(target: "Target") -> "Iterator[Drilled]":
        with session(settings, target, secret) as work:
            yield from drilling.drill_each(work, target.running, snapshot, spoilt=spoilt)

    _show_drills(settings, settings.each(settings.targets(collective, names), act))


def _show_drills(settings: Settings, done: "Sequence[Drilled]") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
    else:
        rows = [
            [item.service, item.snapshot, "passed" if item.good else "FAILED", f"{item.seconds:.0f} s", item.message]
            for item in done
        ]
        columns = ("service", "snapshot", "result", "time", "message")
        output.show_table(columns, rows, {"passed": "green", "FAILED": "red"})
    for note in (note for item in done for note in item.notes):
        output.note(f"note: {note}")
    bad = [f"{item.service}: {item.message}" for item in done if not item.good]
    if bad:
        hint = "make a new snapshot: darkpeak backup; or try an older one: darkpeak drill SERVICE --snapshot NAME"
        raise CheckFailed("; ".join(bad), hint=hint)


COMMANDS = (restore, drill)
