"""Commands that start and stop: up, stop, restart, down, base."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import SystemFailure

if TYPE_CHECKING:
    from darkpeak.deploy.executor import Outcome

SERVICES = click.argument("names", metavar="[SERVICE…]", nargs=-1)


@command("up")
@SERVICES
@click.option("--backup-first", "backup_to", type=click.Path(path_type=Path), metavar="DIR", help="Save data here.")
def up(settings: Settings, names: tuple[str, ...], backup_to: Path | None) -> None:
    """Build, start, wait until healthy, and route; all services, or those named and what they rely on.

    \b
    Example: darkpeak up wiki
    """
    from darkpeak import output
    from darkpeak.actions.up import Deployer, UpResult, with_dependencies

    saved = backup_to.absolute() if backup_to else None
    results: list[tuple[str, UpResult]] = []
    groups = settings.groups(settings.collective(sound=True), names)  # ssh may ask for something, before progress shows
    with output.Progress(quiet=settings.as_json) as progress:
        for group in groups:
            wanted = with_dependencies(group.collective, group.services)
            result = Deployer(group.collective, group.compose, progress, saved).bring_up(wanted)
            results.append((group.host, result))
            if not settings.as_json:
                output.show_lines(_on(group.host, result.lines()))
    if settings.as_json:
        output.show_json([{"host": host, "result": result} for host, result in results])
    _complain([outcome for _, result in results for outcome in result.outcomes])


def _on(host: str, lines: Iterable[str]) -> Iterator[str]:
    """Head lines with the host that they are about, where it has a name."""
    if host:
        yield f"on {host}:"
    yield from lines


@command("plan")
@SERVICES
def plan(settings: Settings, names: tuple[str, ...]) -> None:
    """Show what `up` would do to each container, and why; 0 when there is nothing to do, 1 when there is.

    \b
    Example: darkpeak plan wiki
    """
    from darkpeak import output
    from darkpeak.actions.up import with_dependencies
    from darkpeak.plan.plan import Plan, make_plan
    from darkpeak.plan.text import make_tree

    plans: list[tuple[str, Plan]] = []
    for group in settings.groups(settings.collective(sound=True), names):
        wanted = with_dependencies(group.collective, group.services)
        made = make_plan(group.collective, group.engine.observe(), wanted)
        plans.append((group.host, made))
        if not settings.as_json:
            output.show_lines(_on(group.host, make_tree(made)))
    if settings.as_json:
        output.show_json([{"host": host, "plan": made} for host, made in plans])
    sys.exit(1 if any(made.changes for _, made in plans) else 0)


@command("rollback")
@click.argument("name", metavar="SERVICE")
@click.option("--to", "number", type=int, metavar="NUMBER", help="The deploy to go back to, of darkpeak history.")
def rollback(settings: Settings, name: str, number: int | None) -> None:
    """Go back to the images that ran before; the files stay as they are.

    \b
    Example: darkpeak rollback wiki
    """
    from darkpeak import output
    from darkpeak.actions.up import Deployer

    group = settings.group(settings.collective(), name)
    with output.Progress(quiet=settings.as_json) as progress:
        deployer = Deployer(group.collective, group.compose, progress)
        result, target = deployer.roll_back(group.services[0], number)
    if settings.as_json:
        output.show_json({"result": result, "target": target})
    elif result.plan.changes:
        output.show_lines(
            [f"{name}: back to deploy {target.number} of {target.when}, commit {target.commit or 'unknown'}"]
        )
    else:
        output.show_lines([f"{name}: deploy {target.number} runs already"])
    _complain(result.outcomes)


@command("history")
@SERVICES
def history(settings: Settings, names: tuple[str, ...]) -> None:
    """Show who deployed what and when, and how it ended; kept on the daemon.

    \b
    Example: darkpeak history wiki
    """
    from darkpeak import output
    from darkpeak.evidence import deploys as records

    deploys = []
    for group in settings.groups(settings.collective(), names):
        here = {service.name for service in group.services}
        deploys += [deploy for deploy in records.read(group.engine) if deploy.service in here]
    if settings.as_json:
        output.show_json(deploys)
    else:
        columns = ("service", "number", "when", "who", "commit", "what", "outcome")
        output.show_table(columns, output.as_rows(deploys, columns), {"up": "green"})


@command("unlock")
@click.argument("name", metavar="SERVICE")
@click.option("--yes", is_flag=True, help="Don't ask.")
def unlock(settings: Settings, name: str, *, yes: bool) -> None:
    """Break the lock of a deploy that hangs; says whose it is, and asks.

    \b
    Example: darkpeak unlock wiki
    """
    from datetime import UTC, datetime

    from darkpeak import output
    from darkpeak.engine import lock
    from darkpeak.errors import UsageError

    engine = settings.group(settings.collective(), name).engine
    holder = lock.find(engine, name)
    told = f"{holder.who}, for {holder.age(datetime.now(UTC))}" if holder else ""
    if holder:
        if not yes and not output.ask(f"{name} is held by {told}. Break that lock?"):
            raise UsageError(f"{name} stays locked by {told}", hint="answer y, or give --yes")
        lock.break_it(engine, name)
    if settings.as_json:
        output.show_json({"service": name, "broken": holder})
    else:
        output.show_lines([f"{name}: broke the lock of {told}" if holder else f"{name}: nobody holds it"])


def _complain(outcomes: "Iterable[Outcome]") -> None:
    """Raise what failed, after the last log lines of the containers concerned."""
    from darkpeak import output

    failed = [item for item in outcomes if item.failure]
    for item in failed:
        if item.lines:
            output.note(f"\n{item.service}: its last log lines\n{item.lines}")
    if failed:
        raise SystemFailure(
            "; ".join(f"{item.service} {item.failure}" for item in failed),
            hint="mend what the lines above say, then darkpeak up again: it goes on from here",
        )


def _for_each(settings: Settings, names: tuple[str, ...], *arguments: str, done: str) -> None:
    """Run one compose command for each chosen service that exists on the daemon, and say so."""
    from darkpeak import output

    told = []
    for group in settings.groups(settings.collective(), names):
        observed = group.engine.observe()
        for service in (item for item in group.services if item.runs):
            if not observed.of(service.project):
                told.append({"service": service.name, "done": "not there"})
                continue
            result = group.compose.call(service, *arguments)
            if result.code:
                words = f"{service.name} was not {done}: {result.complaint()}"
                raise SystemFailure(words, hint=f"darkpeak logs {service.name} shows more")
            told.append({"service": service.name, "done": done})
    if settings.as_json:
        output.show_json(told)
    else:
        output.show_lines(f"{item['service']}: {item['done']}" for item in told)


@command("stop")
@SERVICES
def stop(settings: Settings, names: tuple[str, ...]) -> None:
    """Stop services; `up` starts them again.

    \b
    Example: darkpeak stop chat
    """
    _for_each(settings, names, "stop", done="stopped")


@command("restart")
@SERVICES
def restart(settings: Settings, names: tuple[str, ...]) -> None:
    """Restart services' containers as they are, without building anything.

    \b
    Example: darkpeak restart wiki
    """
    _for_each(settings, names, "restart", done="restarted")


@command("down")
@SERVICES
@click.option("--volumes", is_flag=True, help="Destroy their data as well. Asks first.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def down(settings: Settings, names: tuple[str, ...], *, volumes: bool, yes: bool) -> None:
    """Remove services' containers, networks and routes; their data stays, unless --volumes.

    \b
    Example: darkpeak down chat
    """
    from darkpeak import output
    from darkpeak.actions.up import Deployer
    from darkpeak.errors import UsageError

    groups = settings.groups(settings.collective(), names)
    if volumes and not yes:
        listed = ", ".join(service.name for group in groups for service in group.services if service.runs)
        if not output.ask(f"Destroy all data of {listed}? Only a backup brings it back."):
            raise UsageError("nothing was removed", hint="answer y, or give --yes")
    removed: list[str] = []
    with output.Progress(quiet=settings.as_json) as progress:
        for group in groups:
            deployer = Deployer(group.collective, group.compose, progress)
            removed += deployer.take_down([item for item in group.services if item.runs], volumes=volumes)
    if settings.as_json:
        output.show_json([{"service": name, "done": "removed", "volumes": volumes} for name in removed])
    else:
        output.show_lines(f"{name}: removed{', with its data' if volumes else '; its data stays'}" for name in removed)


@command("base")
@click.option("--rebuild", is_flag=True, help="Build it anew even if the daemon has one.")
def base(settings: Settings, *, rebuild: bool) -> None:
    """Have the Debian base images that the services are built from: pulled, or built from Debian's signed archive.

    \b
    Example: darkpeak base
    """
    from darkpeak import output
    from darkpeak.engine import base as images

    made = [
        {"image": f"debian:{suite}", "made": images.ensure(group.engine, suite, output.note, rebuild=rebuild)}
        for group in settings.groups(settings.collective())
        for suite in images.suites_of(group.services)
    ]
    if settings.as_json:
        output.show_json(made)
    else:
        output.show_lines(f"{item['image']}: {'made' if item['made'] else 'there already'}" for item in made)


COMMANDS = (up, plan, rollback, history, unlock, stop, restart, down, base)
