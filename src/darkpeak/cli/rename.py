"""Commands that change what a service, or all of them, are called: rename, move, domain."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, YES, Settings, command
from darkpeak.cli.deploy import require
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective
    from darkpeak.deploy.target import Target
    from darkpeak.life.relocate import Relocated


@command("rename")
@SERVICE
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--volume", metavar="OLD=NEW", help="Copy the data of a volume whose key is NEW in the compose file now.")
def rename(settings: Settings, name: str, new: str | None, volume: str | None) -> None:
    """Rename a service, or one of its volumes, with its data.

    The service must match its files. Its folder and its project get the new name, and its volumes are copied; it is
    stopped meanwhile. The old volumes are kept. A route without a name of its own gets the new name. If the service
    does not become healthy, it gets the old name back. Snapshots of the old name stay where they are.

    \b
    Example: darkpeak rename calendar dates
    Example: darkpeak rename wiki --volume page=pages
    """
    from darkpeak import output
    from darkpeak.life import rename as actions

    before, _, now = (volume or "").partition("=")
    if bool(new) == bool(before and now):
        raise UsageError("give either the new name, or --volume OLD=NEW", hint="see how: darkpeak rename --help")
    target = settings.target(settings.deployable((name,)), name)
    with settings.progress() as progress:
        copied = actions.rename(target, new or now, progress, volume=before)
    if settings.as_json:
        output.show_json(copied)
        return
    output.show_lines([f"{name} is now {new}" if new else f"{name} now uses {now}"])
    output.show_lines(
        f"kept with its data: the volume {item.before} (remove it: docker volume rm {item.before})" for item in copied
    )


@command("move")
@SERVICE
@click.argument("place", metavar="[HOST|BLOCK]", required=False)
@click.option("--finish", is_flag=True, help="Remove what the move has kept on the old host, with its data.")
@click.option("--from-backup", is_flag=True, help="From a host that is dead: with its newest backup.")
@IDENTITY
@YES
def move(settings: Settings, name: str, place: str | None, identities: tuple[Path, ...], **wanted: bool) -> None:
    """Move a service to another host or to another block.

    To a host of [hosts]: the service is built and started there, while the old one goes on. Then members read a notice,
    until the old one is backed up, and the new one is restored and verified. collective.toml then says that it lives
    there. The old one is kept, stopped, until --finish. If anything fails, the old one goes on. After an interruption,
    the same command goes on; with the name of the old host, it goes back.

    To a block: it changes the block, the ports, the routes and the subnet in the compose file; comments stay.
    `darkpeak plan` then shows what `up` will do: it makes the service's network again, for which it is stopped.

    Exits 1 if the service does not pass its check on the new host, or if (--from-backup) there is no backup.

    \b
    Example: darkpeak move wiki north
    Example: darkpeak move wiki north --from-backup
    Example: darkpeak move wiki --finish
    Example: darkpeak move wiki 6030
    """
    if place is None or not place.isdecimal():
        _to_host(settings, name, place, identities, wanted)
        return
    if wanted["finish"] or wanted["from_backup"]:
        raise UsageError("a move to another block has no --finish and no --from-backup", hint="leave them out")
    _to_block(settings, name, int(place))


def _to_block(settings: Settings, name: str, block: int) -> None:
    from darkpeak import output
    from darkpeak.life import rename as actions

    target = settings.target(settings.collective(), name)
    file = str(actions.move(target, block).relative_to(target.collective.root))
    if settings.as_json:
        output.show_json({"service": name, "block": block, "file": file})
    else:
        output.show_lines([f"{file} has block {block} now; deploy it: darkpeak up {name}"])


def _to_host(
    settings: Settings, name: str, place: str | None, identities: tuple[Path, ...], wanted: dict[str, bool]
) -> None:
    from darkpeak import output
    from darkpeak.life import relocate as actions

    if settings.host or (place is None) != wanted["finish"] or (wanted["finish"] and wanted["from_backup"]):
        raise UsageError("give the host, or only --finish", hint=f"for example: darkpeak move {name} north")
    collective = settings.deployable((name,))
    targets = _targets(collective, name)
    home = next(target for target in targets if target.host == _home(collective, name))
    if place is None:
        others = [target for target in targets if target is not home]
        _finish(settings, home, others, yes=wanted["yes"])
        return
    goal = next((target for target in targets if target.host == place), None)
    if goal is None:
        hosts = ", ".join(host.name for host in collective.hosts)
        raise UsageError(f"there is no host {place}", hint=f"the hosts are: {hosts or 'none yet; see docs/hosts.md'}")
    if wanted["from_backup"]:
        done = _from_backup(settings, home, goal, identities)
    else:
        with settings.progress() as progress:
            done = actions.relocate(home, goal, [target for target in targets if target is not goal], progress)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(_lines(done))


def _home(collective: "Collective", name: str) -> str:
    from darkpeak.collective.hosts import homes_of

    host = homes_of(collective).get(name)
    return host.name if host else ""


def _targets(collective: "Collective", name: str) -> "list[Target]":
    """Return the service on each host, connected to side by side; on the default daemon only if it lives there."""
    from darkpeak.deploy.hosts import connect
    from darkpeak.deploy.target import find_targets, on_host

    here = [] if _home(collective, name) else find_targets(collective, (name,), None, os.environ)
    hosts = [find_targets(on_host(collective, host.name), (name,), host.name, {})[0] for host in collective.hosts]
    connect([*here, *hosts], {})
    return [*here, *hosts]


def _from_backup(settings: Settings, home: "Target", goal: "Target", identities: tuple[Path, ...]) -> "Relocated":
    from darkpeak import output
    from darkpeak.life import relocate as actions

    if home is goal:
        raise UsageError(f"it lives on {goal.host} already", hint="name another host")
    if not home.engine.failure:
        raise UsageError(
            f"{home.host} answers", hint=f"move it with its data: darkpeak move {home.service.name} {goal.host}"
        )
    secret = read_key(goal.collective, identities)
    with session(settings, goal, secret) as work:
        found = actions.newest_of(work, goal.service.name, home.host)
        output.note(f"the newest backup is {found.name}, {_age(found.made)} old: what was written since then is lost")
        return actions.from_backup(work, home, found)


def _age(made: str) -> str:
    from datetime import UTC, datetime

    minutes = int((datetime.now(UTC) - datetime.fromisoformat(made)).total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else f"{minutes} minutes"


def _finish(settings: Settings, home: "Target", others: "list[Target]", *, yes: bool) -> None:
    from darkpeak import output
    from darkpeak.life import settle as actions

    name = home.service.name
    if not yes and not output.ask(f"Delete what is kept of {name} on hosts on which it does not live, with its data?"):
        raise UsageError("nothing was removed", hint="answer y, or give --yes")
    with settings.progress() as progress:
        done = actions.finish(home, others, progress)
    silent = [target.host for target in others if target.engine.failure]
    if settings.as_json:
        output.show_json({"service": name, "removed": done, "silent": silent})
        return
    output.show_lines(
        [f"{name}: removed from {', '.join(done)}" if done else f"{name}: no other host has a copy of it"]
    )
    output.show_lines(f"{host} does not answer: run this again when it does" for host in silent)


def _lines(done: "Relocated") -> list[str]:
    name, where = done.service, done.host
    if done.snapshot:
        first = f"{name} lives on {where} now, with {done.snapshot}, which was made {done.made}"
    elif done.paused:
        first = f"{name} lives on {where} now; it was paused for {done.paused} s"
    else:
        first = f"{name} lives on {where}, and runs there"
    checked = f"verified: {done.verified}" if done.verified else "not verified: it has no scripts/verify"
    lines = [f"{first}; {checked}" if done.paused or done.snapshot else first]
    for host in done.kept:
        back = f"back: darkpeak move {name} {host}; remove it: darkpeak move {name} --finish"
        lines.append(f"kept on {host}, stopped ({back})")
    again = f"it may still have a copy; when it answers, run: darkpeak move {name} {where}"
    lines += [f"{host} does not answer: {again}" for host in done.silent]
    moved = done.paused or done.snapshot
    return [
        *lines,
        *(["commit collective.toml to git; names that lead to the old host must lead to the new one"] if moved else []),
    ]


@command("domain")
@click.argument("new", metavar="DOMAIN")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@YES
def domain(settings: Settings, new: str, *, dry_run: bool, yes: bool) -> None:
    """Change the domain of the collective.

    It shows what changes, and asks. Then it removes all containers, and the collective's own CA, which is for one
    domain; it writes the domain into collective.toml, and starts all again. The data stays. What runs must match its
    files. If it is interrupted, `darkpeak up` starts all with the domain that is in collective.toml then.

    \b
    Example: darkpeak domain village.example --dry-run
    """
    from darkpeak import output
    from darkpeak.actions.up import bring_up
    from darkpeak.life import domain as actions

    if settings.host and settings.hosts():
        raise UsageError("the domain is that of all hosts", hint="give the command without --host")
    targets = settings.own_targets(settings.deployable(), (), deploys=True)
    change = actions.plan_domain(targets, new)
    if not settings.as_json:
        output.show_lines(change.lines())
    if dry_run:
        output.show_json(change) if settings.as_json else None
        return
    if not yes and not output.ask(f"Change the domain to {new}?"):
        raise UsageError("nothing was changed", hint="answer y, or give --yes")
    with settings.progress() as progress:
        actions.change_domain(targets, new, progress)
        targets = settings.own_targets(settings.deployable(), (), deploys=True)
        results = [bring_up(target, progress) for target in targets]
    if settings.as_json:
        output.show_json(change)
    require(failure for result in results for failure in result.failures)
    if not settings.as_json:
        output.show_lines([f"the domain is now {new}; commit the files"])


COMMANDS = (rename, move, domain)
