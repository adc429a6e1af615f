"""Commands that deploy: up, plan, rollback, history, unlock, base."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, SERVICES, YES, Settings, command
from darkpeak.errors import SystemFailure, UsageError

if TYPE_CHECKING:
    from darkpeak.actions.up import UpResult
    from darkpeak.deploy.outcome import Outcome
    from darkpeak.deploy.target import Target

BACKUP_FIRST = click.option(
    "--backup-first",
    "backup_to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Back up services that change, into DIR, before they are touched.",
)


@command("up")
@SERVICES
@BACKUP_FIRST
def up(settings: Settings, names: tuple[str, ...], backup_to: Path | None) -> None:
    """Deploy services: build, start, wait until healthy, route.

    Without a name, it deploys all services; with names, those and what they depend on. A service that is up to date is
    not touched. The first time, it writes an id into collective.toml. If plain docker compose would use another domain
    or other ports, it writes them into the services' .env. Commit both to git.

    \b
    Example: darkpeak up wiki
    """
    from darkpeak import output
    from darkpeak.actions.publish import renew
    from darkpeak.actions.routes import lead
    from darkpeak.actions.up import Wanted, bring_up
    from darkpeak.deploy.check import require_sound

    wanted = Wanted(backup_to.absolute() if backup_to else None)
    collective = settings.deployable(names)
    targets = settings.own_targets(collective, names, deploys=True)
    with settings.progress() as progress:

        def act(target: "Target") -> "Iterator[UpResult]":
            result = bring_up(target, progress, wanted, names)
            if not settings.as_json:
                output.show_lines(on_host(result.host, result.lines()))
            yield result

        results = settings.each(targets, act)
    if any(result.plan.changes for result in results):
        every = settings.targets(collective)
        lead([target for target in every if target.host not in {result.host for result in results}])
        _note(renew(every))
    if settings.as_json:
        output.show_json([{"host": result.host, "result": result} for result in results])
    require(failure for result in results for failure in result.failures)
    if not names:
        require_sound({fault for result in results for fault in result.plan.faults})


def _note(problem: str) -> None:
    from darkpeak import output

    if problem:
        output.note(problem)


def on_host(host: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a host, after a line with its name if it has one."""
    if host:
        yield f"on {host}:"
    yield from lines


@command("plan")
@SERVICES
@BACKUP_FIRST
def plan(settings: Settings, names: tuple[str, ...], backup_to: Path | None) -> None:
    """Show what `up` would do, in order, and why.

    Exits 1 if there is something to do, and 0 if there is nothing.

    \b
    Example: darkpeak plan wiki
    """
    from darkpeak import output
    from darkpeak.actions.up import Wanted, plan_checked
    from darkpeak.deploy.check import require_sound
    from darkpeak.plan.text import make_text

    wanted = Wanted(backup_to.absolute() if backup_to else None)
    targets = settings.targets(settings.deployable(names), names)
    plans = settings.each(
        targets, lambda target: [(target.host, plan_checked(target, wanted, names))], side_by_side=True
    )
    if settings.as_json:
        output.show_json([{"host": host, "plan": made} for host, made in plans])
    else:
        output.show_lines(line for host, made in plans for line in on_host(host, make_text(made)))
    if not names:
        require_sound({fault for _, made in plans for fault in made.faults})
    sys.exit(1 if any(made.changes or made.drift or made.files or made.groups for _, made in plans) else 0)


@command("rollback")
@SERVICE
@click.option(
    "--to", "number", type=int, metavar="NUMBER", help="A deploy of darkpeak history (default: the last different one)."
)
def rollback(settings: Settings, name: str, number: int | None) -> None:
    """Go back to the images of an earlier deploy.

    The files stay as they are: the next `darkpeak up` deploys them again.

    \b
    Example: darkpeak rollback wiki
    """
    from darkpeak import output
    from darkpeak.actions.rollback import roll_back

    target = settings.target(settings.collective(), name)
    with settings.progress() as progress:
        done = roll_back(target, number, progress)
    if settings.as_json:
        output.show_json({"result": done.result, "target": done.to})
    elif done.result.plan.changes:
        commit = done.to.commit or "unknown"
        output.show_lines([f"{name}: back to deploy {done.to.number} of {done.to.when}, commit {commit}"])
    else:
        output.show_lines([f"{name} already runs deploy {done.to.number}"])
    require(done.result.failures)


@command("history")
@SERVICES
def history(settings: Settings, names: tuple[str, ...]) -> None:
    """Show who deployed what and when, and how it ended.

    The history is kept on the daemon, so all admins see the same.

    \b
    Example: darkpeak history wiki
    """
    from darkpeak import output
    from darkpeak.actions.history import find_history

    found = settings.each(settings.targets(settings.collective(), names), find_history, side_by_side=True)
    columns = ("service", "number", "when", "who", "commit", "what", "outcome")
    output.show_rows(found, columns, {"up": "green"}, as_json=settings.as_json, key=2)


@command("unlock")
@click.argument("name", metavar="SERVICE|_routes|_backup")
@YES
def unlock(settings: Settings, name: str, *, yes: bool) -> None:
    """Break the lock of a command that hangs.

    It shows who has the lock and since when, and asks first. The command that had the lock then fails. `_routes` is
    the lock of the router's tables, and `_backup` that of a daemon's backups.

    \b
    Example: darkpeak unlock wiki
    """
    from darkpeak import output
    from darkpeak.actions.unlock import break_lock, describe, find_holder
    from darkpeak.engine.lock import SHARED

    engine = settings.target(settings.collective(), *([name] if name not in SHARED else [])).engine
    holder = find_holder(engine, name)
    locked = f"locked by {describe(holder)}" if holder else ""
    if holder:
        if not yes and not output.ask(f"{name} is {locked}. Break the lock?"):
            raise UsageError(f"{name} is still {locked}", hint="answer y, or give --yes")
        break_lock(engine, name)
    if settings.as_json:
        output.show_json({"service": name, "broken": holder})
    else:
        output.show_lines([f"{name} was {locked}; the lock is broken" if holder else f"{name} is not locked"])


@command("base")
@click.option("--rebuild", is_flag=True, help="Build the image again even if the daemon has it.")
def base(settings: Settings, *, rebuild: bool) -> None:
    """Get the Debian base images that services are built from.

    They are pulled from a registry, or built from Debian's signed archive where no registry answers. Then their labels
    say what they are made of, and the same archive gives the same image all day.

    \b
    Example: darkpeak base
    """
    from darkpeak import output
    from darkpeak.actions.bases import ensure_bases

    targets = settings.targets(settings.collective())
    made = settings.each(targets, lambda target: ensure_bases(target, output.note, rebuild=rebuild))
    if settings.as_json:
        output.show_json(made)
    else:
        output.show_lines(f"{item.image}: {'made' if item.made else 'already there'}" for item in made)


def require(failures: "Iterable[Outcome]") -> None:
    """Raise an error for what failed, after the last lines that the containers printed."""
    from darkpeak import output

    failed = list(failures)
    for item in failed:
        if item.lines:
            output.note(f"\n{item.service}: the last lines of its output\n{item.lines}")
    if failed:
        what = "; ".join(f"{item.service} {item.failure}" for item in failed)
        raise SystemFailure(what, hint="fix the problem, then continue: darkpeak up")


COMMANDS = (up, plan, rollback, history, unlock, base)
