"""Commands that restore: restore, drill."""

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
    from darkpeak.actions.restore import Restored
    from darkpeak.actions.session import Session
    from darkpeak.collective.model import Collective

NO_VERIFY = "it has no scripts/verify"


@command("restore")
@click.argument("name", metavar="[SERVICE]", required=False)
@click.option("--all", "everything", is_flag=True, help="The lost machine: bring all services back on an empty daemon.")
@click.option("--snapshot", metavar="NAME", help="Which snapshot (else the newest): darkpeak snapshots lists them.")
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Only write the parts into a new folder.")
@click.option("--as", "project", metavar="NAME", help="Beside the live one, as a project of this name, cut off.")
@click.option("--from", "source", metavar="DIR", type=click.Path(path_type=Path), help="From a plain folder here.")
@click.option("--discard", is_flag=True, help="Give up the present state, if it cannot be saved.")
@click.option("--explain", is_flag=True, help="Print the commands that do it without darkpeak.")
@IDENTITY
def restore(settings: Settings, name: str | None, identities: tuple[Path, ...], **options: Any) -> None:
    """Restore a service from its newest snapshot, or a named one.

    The snapshot is verified before anything is touched. What is there now becomes a snapshot first, and is put back
    if the restored service does not become healthy or its scripts/verify fails. With --as the live service is left
    alone, and the copy runs beside it until you remove it, without published ports or a way out.

    --all is for the lost machine: with a clone, your ssh key and an empty daemon it brings every service up and
    restores it, what others depend on first. Stopped half way, it goes on from there; a service that was there before
    is left as it is.

    \b
    Example: darkpeak restore wiki --snapshot wiki-17
    """
    _check_options(name, options)
    collective = settings.collective(sound=options["everything"])
    if name is None:
        _recover(settings, collective, identities)
    elif options["explain"]:
        _explain(settings, collective, name, options["snapshot"])
    elif options["source"]:
        _from_folder(settings, collective, name, options["source"])
    else:
        target = settings.target(collective, name)
        with session(settings, target, read_key(collective, identities)) as work:
            done, lines = _restore(work, options)
        _show(settings, done, lines)


def _check_options(name: str | None, options: dict[str, Any]) -> None:
    """Refuse options that exclude each other."""
    ways = [options[key] for key in ("to", "project", "source", "explain")]
    if sum(map(bool, ways)) > 1:
        raise UsageError("--to, --as, --from and --explain exclude each other", hint="give one of them")
    if options["everything"] != (name is None) or (options["everything"] and any((*ways, options["snapshot"]))):
        raise UsageError("name one service, or give --all alone", hint="darkpeak restore --help shows how")


def _restore(work: "Session", options: dict[str, Any]) -> tuple[Any, list[str]]:
    """Restore as the options say; return the result, and the lines to show for it."""
    from darkpeak import output
    from darkpeak.actions import restore as restoring
    from darkpeak.actions.copy import restore_as

    service, snapshot = work.target.service, options["snapshot"]
    if options["to"]:
        folder = options["to"].absolute()
        made = restoring.unpack(work, service, snapshot, folder)
        line = f"{service.name}: {made} is in {output.relative(folder)}; nothing else was touched"
        return {"service": service.name, "snapshot": made, "folder": str(folder)}, [line]
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


def _from_folder(settings: Settings, collective: "Collective", name: str, source: Path) -> None:
    from darkpeak.actions.data import run_script

    target = settings.target(collective, name)
    show_scripts(settings, [run_script(target, target.service, "restore", source)])


def _explain(settings: Settings, collective: "Collective", name: str, snapshot: str | None) -> None:
    from darkpeak import output

    settings.target(collective, name)
    lines = list(_explained(collective, name, snapshot))
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(lines)


def _explained(collective: "Collective", name: str, snapshot: str | None) -> Iterator[str]:
    from darkpeak.collective.repository_url import parse
    from darkpeak.repository.by_hand import explain

    for written in collective.backup.repositories:
        yield from explain(parse(written), name, snapshot)


def _recover(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.recover import recover_all

    secret = read_key(collective, identities)
    done = []
    for target in settings.targets(collective):
        with session(settings, target, secret) as work:
            done += list(recover_all(work))
    if settings.as_json:
        output.show_json(done)
    else:
        rows = [[item.service, item.done, item.snapshot, f"{item.seconds:.0f} s", item.message] for item in done]
        columns = ("service", "", "snapshot", "time", "message")
        output.show_table(columns, rows, {"restored": "green", "failed": "red"})
    bad = [f"{item.service}: {item.message}" for item in done if not item.good]
    if bad:
        raise SystemFailure("; ".join(bad), hint="fix that and run it again: it goes on from here")


def _restored_line(done: "Restored") -> str:
    checked = f"verified: {done.verified}" if done.verified else NO_VERIFY
    kept = f"; what was there before is {done.kept}" if done.kept else ""
    return f"{done.service}: {done.snapshot} restored in {done.seconds:.0f} s, {checked}{kept}"


def _copied_lines(done: "Copied") -> list[str]:
    first = f"{done.service}: {done.snapshot} runs as {done.project}: {done.verified or NO_VERIFY}"
    return [first, f"  docker compose --project-name {done.project} down --volumes   # removes it", *done.notes]


@command("drill")
@SERVICES
@click.option("--snapshot", metavar="NAME", help="Which snapshot (else the newest), of one service.")
@click.option(
    "--spoilt",
    is_flag=True,
    help="Test the drill itself: damage the restored copy on purpose; exits 1 if the drill does not notice.",
)
@IDENTITY
def drill(
    settings: Settings, names: tuple[str, ...], snapshot: str | None, identities: tuple[Path, ...], *, spoilt: bool
) -> None:
    """Test-restore the newest backup of each service in a throw-away copy; exits 1 if a restored service is not right.

    The copy has the images that the snapshot was made with, networks of its own without a way out, and nothing
    published. Its health and scripts/verify are checked, and a backup of it is compared with the snapshot. The result
    and its time are recorded on the daemon, for everyone to see. Then the copy is removed.

    \b
    Example: darkpeak drill wiki
    """
    from darkpeak.actions import drill as drilling

    if snapshot and len(names) != 1:
        raise UsageError("--snapshot needs exactly one service", hint="name that service")
    collective = settings.collective()
    secret = read_key(collective, identities)
    done = []
    for target in settings.targets(collective, names):
        with session(settings, target, secret) as work:
            for service in target.running:
                tried = drilling.drill_spoilt(work, service) if spoilt else drilling.drill(work, service, snapshot)
                done.append(tried)
    _show_drills(settings, done)


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
        hint = "darkpeak drill SERVICE --snapshot NAME tries an older one; darkpeak backup makes a new one"
        raise CheckFailed("; ".join(bad), hint=hint)


COMMANDS = (restore, drill)
