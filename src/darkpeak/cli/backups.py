"""Commands for sets in repositories: backup, snapshots, restore, drill."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darkpeak.cli.common import Group, Settings, chosen, command
from darkpeak.errors import CheckFailed, SystemFailure, UsageError

if TYPE_CHECKING:
    from darkpeak.actions.copy import Copied
    from darkpeak.actions.restore import Restored
    from darkpeak.actions.session import Session
    from darkpeak.collective.model import Collective
    from darkpeak.repository.key import Secret

INIT = "init"
IDENTITY = click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your private ssh key, to open the backup key with (else ~/.ssh/id_ed25519 or id_rsa).",
)


def ask_passphrase(file: Path) -> str:
    """Ask for the passphrase of a key file."""
    if not sys.stdin.isatty():
        raise UsageError(f"{file} has a passphrase, and there is no terminal to ask for it on", hint="use another key")
    return str(click.prompt(f"Passphrase of {file}", hide_input=True, err=True))


def read_key(collective: "Collective", identities: tuple[Path, ...]) -> "Secret":
    """Open the backup key with the caller's ssh key."""
    from darkpeak.repository import key

    return key.read(collective, identities, ask_passphrase)


@contextmanager
def session(settings: Settings, group: "Group", secret: "Secret", *, create: bool = False) -> Iterator["Session"]:
    """Open the repositories from one engine, for as long as a command needs them."""
    from darkpeak import output
    from darkpeak.actions.session import Place, opened

    place = Place(group.collective, group.compose, group.host)
    with output.Progress(quiet=settings.as_json) as progress, opened(place, secret, progress, create=create) as work:
        yield work


def _run_script(settings: Settings, name: str, script: str, directory: Path) -> dict[str, Any]:
    """Run one of a service's own scripts here, with a folder of this machine, and say how it ended."""
    from darkpeak import output

    group = settings.group(settings.collective(), name)
    service = group.services[0]
    kept = group.compose.script_kept(service, script, str(directory.absolute()))
    if kept.stdout or kept.stderr:
        output.note((kept.stdout + kept.stderr).decode(errors="replace").rstrip())
    if kept.code:
        raise SystemFailure(
            f"{script} of {name} failed: {kept.complaint()}",
            where=output.relative(service.folder / "scripts" / script),
            hint=f"darkpeak logs {name} may show why; nothing counts as done",
        )
    return {"service": name, "done": script, "folder": str(directory.absolute())}


def _show_done(settings: Settings, done: list[dict[str, Any]]) -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item['service']}: {item['done']} done, {item['folder']}" for item in done)


def _init(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Make the key, where there is none, and every repository that is not there yet."""
    from darkpeak import output
    from darkpeak.collective import recipients as sealed
    from darkpeak.repository import key

    collective = settings.collective()
    path = collective.root / sealed.FILE
    made = not path.is_file()
    secret = key.make() if made else read_key(collective, identities)
    if made:
        key.write(collective, secret, collective.admins)
    for group in settings.groups(collective):
        with session(settings, group, secret, create=True) as work:
            repositories = [store.repository.name for store in work.stores]
    can = sealed.openers(collective)
    if settings.as_json:
        output.show_json({"key": str(path), "made": made, "opens_for": can, "repositories": repositories})
        return
    output.show_lines([f"{sealed.FILE}: {'made' if made else 'there already'}; it opens for {', '.join(can)}"])
    output.show_lines(f"{name}: ready" for name in repositories)
    if made:
        output.note(f"now: git add {sealed.FILE} && git commit: without it, no set can be read by anybody")
    if len(can) < sealed.LEAST_OPENERS:
        raise CheckFailed("only one admin can open the backup key", hint="darkpeak key add ADMIN, for a second person")


@command("backup")
@click.argument("names", metavar="[SERVICE…|init]", nargs=-1)
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Into a plain folder here, no repository.")
@IDENTITY
def backup(settings: Settings, names: tuple[str, ...], to: Path | None, identities: tuple[Path, ...]) -> None:
    """Make a set of each service in every repository; all services, or those named.

    Each service's own scripts/backup writes the parts, beside the volumes. `init` makes the key and the repositories,
    once. With --to, the parts go into DIR/SERVICE on this machine instead, as they are.

    \b
    Example: darkpeak backup wiki
    """
    from darkpeak import output
    from darkpeak.actions.backup import make_snapshot

    if names == (INIT,):
        _init(settings, identities)
        return
    collective = settings.collective()
    if to:
        services = [service for service in chosen(collective, names) if service.runs]
        _show_done(settings, [_run_script(settings, item.name, "backup", to / item.name) for item in services])
        return
    secret = read_key(collective, identities)
    made = []
    for group in settings.groups(collective, names):
        with session(settings, group, secret) as work:
            made += [make_snapshot(work, service) for service in group.services if service.runs]
    if settings.as_json:
        output.show_json(made)
    else:
        columns = ("service", "snapshot_name", "size", "repositories")
        output.show_table(("service", "set", "bytes", "repositories"), output.as_rows(made, columns))
    for item in made:
        for line in item.odd:
            output.note(f"{item.service}: look at this: {line}")
        for line in item.notes:
            output.note(f"note: {item.service}: {line}")
    bad = [f"{item.service}: {failure}" for item in made for failure in item.failures]
    if bad:
        raise SystemFailure("; ".join(bad), hint="what is not in the table above has no set; run it again")


@command("snapshots")
@click.argument("name", metavar="[SERVICE]", required=False)
@IDENTITY
def snapshots(settings: Settings, name: str | None, identities: tuple[Path, ...]) -> None:
    """Show the sets in the repositories, the newest last.

    \b
    Example: darkpeak snapshots wiki
    """
    from darkpeak import output

    collective = settings.collective()
    names = tuple(service.name for service in chosen(collective, (name,))) if name else ()
    group = settings.groups(collective, names)[0]
    with session(settings, group, read_key(collective, identities)) as work:
        found = work.snapshots(name)
    if settings.as_json:
        output.show_json([{"name": item.name, **asdict(item)} for item in found])
        return
    rows = [[item.name, item.made[:16], item.kind, item.repository, item.snapshot[:8]] for item in found]
    output.show_table(("set", "made", "kind", "repository", "restic's id"), rows)


@command("restore")
@click.argument("name", metavar="SERVICE", required=False)
@click.option("--all", "everything", is_flag=True, help="The lost machine: bring all services back on an empty daemon.")
@click.option(
    "--snapshot",
    "snapshot_name",
    metavar="SNAPSHOT",
    help="Which set (else the newest): darkpeak snapshots lists them.",
)
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Only write the parts into a new folder.")
@click.option("--as", "project", metavar="NAME", help="Beside the live one, as a project of this name, cut off.")
@click.option("--from", "source", metavar="DIR", type=click.Path(path_type=Path), help="From a plain folder here.")
@click.option("--discard", is_flag=True, help="Give up the present state, if it cannot be saved.")
@click.option("--explain", is_flag=True, help="Print the commands that do it without darkpeak.")
@IDENTITY
def restore(  # noqa: PLR0913, PLR0917 (each is an option)
    settings: Settings,
    name: str | None,
    snapshot_name: str | None,
    to: Path | None,
    project: str | None,
    source: Path | None,
    identities: tuple[Path, ...],
    *,
    everything: bool,
    discard: bool,
    explain: bool,
) -> None:
    """Restore a service from its newest set, or a named one.

    The set is verified before anything is touched. What is there now becomes a set of its own first, and is put back
    if the restored service does not become healthy or its scripts/verify is not content. With --as the live service is
    left alone, and the copy runs beside it until you remove it, without published ports or a way out.

    --all is for the lost machine: with a clone, your ssh key and an empty daemon it brings every service up and
    restores it, what others rely on first. Stopped half way, it goes on from there; what was there before it began is
    left as it is.

    \b
    Example: darkpeak restore wiki --snapshot wiki-17
    """
    from darkpeak import output
    from darkpeak.actions import restore as restoring
    from darkpeak.actions.copy import restore_as

    if sum(map(bool, (to, project, source, explain))) > 1:
        raise UsageError("--to, --as, --from and --explain exclude each other", hint="give one of them")
    if everything != (name is None) or (everything and (to or project or source or explain or snapshot_name)):
        raise UsageError("name one service, or give --all alone", hint="darkpeak restore --help shows how")
    collective = settings.collective(sound=everything)
    if name is None:
        _recover(settings, collective, identities)
        return
    group = settings.group(collective, name)
    if explain:
        output.show_lines(_explained(collective, name, snapshot_name))
        return
    if source:
        _show_done(settings, [_run_script(settings, name, "restore", source)])
        return
    with session(settings, group, read_key(collective, identities)) as work:
        if to:
            made = restoring.unpack(work, group.services[0], snapshot_name, to.absolute())
            done: Any = {"service": name, "set": made, "folder": str(to.absolute())}
            lines = [f"{name}: {made} is in {output.relative(to.absolute())}; nothing else was touched"]
        elif project:
            done = restore_as(work, group.services[0], snapshot_name, project)
            lines = _copied_lines(done)
        else:
            done = restoring.restore(work, group.services[0], snapshot_name, discard=discard)
            lines = [_restored_line(done)]
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(lines)


@command("drill")
@click.argument("names", metavar="[SERVICE…]", nargs=-1)
@click.option("--snapshot", "snapshot_name", metavar="SNAPSHOT", help="Which set (else the newest), of one service.")
@click.option("--spoilt", is_flag=True, help="Feed it a spoilt set, which it must find; 1 when it does not.")
@IDENTITY
def drill(
    settings: Settings, names: tuple[str, ...], snapshot_name: str | None, identities: tuple[Path, ...], *, spoilt: bool
) -> None:
    """Restore newest sets into scratch projects beside the live ones, and ask them; 1 when one is not right.

    A scratch project has the images that the set was made with, networks of its own without a way out, and nothing
    published. Its health and scripts/verify are asked, and a backup of it is compared with the set. How it went, and
    how long it took, is recorded on the daemon, for everyone to see. Then it is removed.

    \b
    Example: darkpeak drill wiki
    """
    from darkpeak import output
    from darkpeak.actions import drill as drilling

    if snapshot_name and len(names) != 1:
        raise UsageError("--snapshot is of one service", hint="name that service")
    collective = settings.collective()
    secret = read_key(collective, identities)
    done = []
    for group in settings.groups(collective, names):
        with session(settings, group, secret) as work:
            for service in group.services:
                if service.runs and spoilt:
                    done.append(drilling.drill_spoilt(work, service))
                elif service.runs:
                    done.append(drilling.drill(work, service, snapshot_name))
    if settings.as_json:
        output.show_json(done)
    else:
        rows = [
            [item.service, item.snapshot_name, "right" if item.good else "WRONG", f"{item.seconds:.0f} s", item.said]
            for item in done
        ]
        output.show_table(("service", "set", "", "time", "what it said"), rows, {"right": "green", "WRONG": "red"})
    for note in (note for item in done for note in item.notes):
        output.note(f"note: {note}")
    bad = [item for item in done if not item.good]
    if bad:
        what = "; ".join(f"{item.service}: {item.said}" for item in bad)
        raise CheckFailed(
            what, hint="darkpeak drill SERVICE --snapshot SNAPSHOT tries an older one; darkpeak backup makes a new one"
        )


def _recover(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.recover import recover_all

    secret = read_key(collective, identities)
    done = []
    for group in settings.groups(collective):
        with session(settings, group, secret) as work:
            done += list(recover_all(work, group.services))
    if settings.as_json:
        output.show_json(done)
    else:
        rows = [[item.service, item.done, item.snapshot_name, f"{item.seconds:.0f} s", item.said] for item in done]
        output.show_table(("service", "", "set", "time", "what it said"), rows, {"restored": "green", "failed": "red"})
    bad = [f"{item.service}: {item.said}" for item in done if not item.good]
    if bad:
        raise SystemFailure("; ".join(bad), hint="mend that and run it again: it goes on from here")


def _restored_line(done: "Restored") -> str:
    checked = f"verified: {done.verified}" if done.verified else "it has no scripts/verify"
    kept = f"; what was there before is {done.kept}" if done.kept else ""
    return f"{done.service}: {done.snapshot_name} restored in {done.seconds:.0f} s, {checked}{kept}"


def _copied_lines(done: "Copied") -> list[str]:
    said = f"{done.service}: {done.snapshot_name} runs as {done.project}: {done.verified or 'it has no scripts/verify'}"
    return [said, f"  docker compose --project-name {done.project} down --volumes   # removes it", *done.notes]


def _explained(collective: "Collective", name: str, snapshot_name: str | None) -> Iterator[str]:
    from darkpeak.collective.repository_url import parse
    from darkpeak.repository.by_hand import explain

    for written in collective.backup.repositories:
        yield from explain(parse(written), name, snapshot_name)


COMMANDS = (backup, snapshots, restore, drill)
