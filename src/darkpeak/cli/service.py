"""Commands about running services: status, logs, stop, restart, down."""

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, SERVICES, YES, Settings, command
from darkpeak.errors import HostFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkpeak.actions.service import Done
    from darkpeak.plan.status import ServiceStatus

COLOURS = {"healthy": "green", "unreachable": "red", "absent": "dim", "stopped": "yellow", "idea": "dim"}
ALARMS = ("NEVER", "OVERDUE", "FAILED")
DURATION = re.compile(r"(\d+(\.\d+)?(h|m|s|ms))+", re.ASCII)  # as Docker reads them
MOMENT = re.compile(r"[-0-9]{10}(T\d\d(:\d\d){0,2}(\.\d+)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@command("status")
@SERVICES
@click.option("--watch", is_flag=True, help="Show it again every five seconds, until Ctrl-C.")
def status(settings: Settings, names: tuple[str, ...], *, watch: bool) -> None:
    """Show how each service is.

    A service is unreachable if its containers are healthy, but it does not answer through the router. The table also
    shows its requests (counted since the router was last loaded; ms is the mean time of an answer), its newest
    snapshot, its last drill, its address, its admins, and the level that it really had in the last night.

    \b
    Example: darkpeak status --watch
    """
    from darkpeak import output
    from darkpeak.actions.status import find_status

    def look(now: Settings) -> "list[ServiceStatus]":
        return now.each(now.targets(now.collective(), names), find_status, side_by_side=True)

    def look_again() -> "tuple[list[ServiceStatus], list[HostFailure]]":
        now = replace(settings, failures={})
        return look(now), list(now.failures.values())

    if watch and settings.as_json:
        raise UsageError("--watch and --json do not go together", hint="leave one of them out")
    if watch:
        output.watch(look_again, lambda found: _show_look(*found))
    elif settings.as_json:
        output.show_json(look(settings))
    else:
        _show_status(look(settings))


def _show_look(rows: "list[ServiceStatus]", failed: "list[HostFailure]") -> None:
    from darkpeak import output

    _show_status(rows)
    output.show_lines(map(str, failed))


def _show_status(rows: "list[ServiceStatus]") -> None:
    from darkpeak import output

    placed = ("host",) if any(row.host for row in rows) else ()
    traffic = ("requests", "failed", "ms") if any(row.requests for row in rows) else ()
    proofs = ("saved", "drilled") if any(row.saved for row in rows) else ()
    measured = ("measured",) if any(row.measured for row in rows) else ()
    columns = ("service", *placed, "kind", "level", *measured, "state", *traffic, *proofs, "address", "admins")
    alarms = {cell: "red" for row in output.as_rows(rows, (*columns, "nightly")) for cell in row if _alarms(cell)}
    output.show_rows(rows, columns, COLOURS | alarms, as_json=False)
    if proofs:
        output.show_rows(rows[:1], ("nightly",), alarms, as_json=False)


def _alarms(cell: str) -> bool:
    return cell.startswith(ALARMS)


@command("logs")
@SERVICE
@click.argument("containers", metavar="[CONTAINER…]", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Show new lines as they are written.")
@click.option("--tail", default="200", show_default=True, metavar="LINES", help="The number of last lines, or all.")
@click.option("--since", default="", metavar="TIME", help="Only lines since then: 1h, 30m, or 2026-06-12T19:40.")
def logs(  # noqa: PLR0913 (the command's options)
    settings: Settings, name: str, containers: tuple[str, ...], *, follow: bool, tail: str, since: str
) -> None:
    """Show what a service's containers have written.

    \b
    Example: darkpeak logs -f wiki --since 1h
    """
    from darkpeak import output
    from darkpeak.engine.heartbeat import watched

    _require_usable(tail, since)
    target = settings.target(settings.collective(), name)
    if follow and target.service.stacked and len(containers or target.service.containers) > 1:
        known = ", ".join(item.name for item in target.service.containers)
        raise UsageError(f"{name} runs on a swarm, which follows one container", hint=f"name one of these: {known}")
    arguments = ("--tail", tail, *(("--since", since) if since else ()), "--timestamps", *containers)
    following = ("--follow",) if follow else ()
    target.engine.answer()
    with watched(target.engine):
        if settings.as_json:
            lines: list[str] = []
            code = target.compose.logs(target.service, lines.append, *arguments)
            output.show_json(lines)
        elif sys.stdout.isatty() and not target.service.stacked:
            code = target.compose.attach(target.service, "logs", *arguments, *following)
        else:
            code = target.compose.logs(target.service, lambda line: output.show_lines([line]), *arguments, *following)
    if code or follow:
        target.engine.answer()  # a stream that ends because the host is gone ends as if there were no more lines
    sys.exit(3 if code else 0)


def _require_usable(tail: str, since: str) -> None:
    """Refuse what the engine would not understand, or would take for something else.

    Raises:
        UsageError: when the number of lines or the time cannot be used.
    """
    if tail != "all" and not (tail.isascii() and tail.isdigit()):
        raise UsageError(f"--tail {tail}: this is not a number of lines", hint="for instance: --tail 50, or --tail all")
    if since and not DURATION.fullmatch(since) and not _is_moment(since):
        hint = "for instance: --since 1h, --since 30m, or --since 2026-06-12T19:40; days are hours: 48h"
        raise UsageError(f"--since {since}: this is not a time", hint=hint)


def _is_moment(text: str) -> bool:
    from datetime import datetime

    if text.isascii() and text.isdigit():  # seconds since 1970
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return bool(MOMENT.fullmatch(text))


@command("stop")
@SERVICES
def stop(settings: Settings, names: tuple[str, ...]) -> None:
    """Stop services; `up` starts them again.

    \b
    Example: darkpeak stop chat
    """
    from darkpeak.actions import service

    _show(settings, settings.each(settings.own_targets(settings.collective(), names), service.stop))


@command("restart")
@SERVICES
def restart(settings: Settings, names: tuple[str, ...]) -> None:
    """Restart the containers of services; nothing is built.

    It waits until each answers through the router.

    \b
    Example: darkpeak restart wiki
    """
    from darkpeak.actions import service

    with settings.progress() as progress:
        targets = settings.own_targets(settings.collective(), names)
        done = settings.each(targets, lambda target: service.restart(target, progress))
    _show(settings, done)


def _show(settings: Settings, done: "Iterable[Done]") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(list(done))
    else:
        output.show_lines(f"{item.service}: {item.done}" for item in done)


@command("down")
@SERVICES
@click.option("--volumes", is_flag=True, help="Destroy their data too; asks first.")
@YES
def down(settings: Settings, names: tuple[str, ...], *, volumes: bool, yes: bool) -> None:
    """Remove the containers, networks and routes of services.

    Their data stays, except with --volumes. If that removes the data of all services, the engine no longer belongs to
    the collective, and another one can use it.

    \b
    Example: darkpeak down chat
    """
    from darkpeak import output
    from darkpeak.actions.down import take_down
    from darkpeak.evidence.ownership import require_all_ours

    targets = settings.targets(settings.collective(), names)
    require_all_ours((item.collective, item.engine) for item in targets)  # before it asks
    if volumes and not yes:
        listed = ", ".join(service.name for target in targets for service in target.running)
        if not output.ask(f"Destroy all data of {listed}? Only a backup can restore it."):
            raise UsageError("nothing was removed", hint="answer y, or give --yes")
    with settings.progress() as progress:
        removed = settings.each(targets, lambda target: take_down(target, progress, volumes=volumes))
    if settings.as_json:
        output.show_json([{"service": name, "done": "removed", "volumes": volumes} for name in removed])
    else:
        output.show_lines(f"{name}: removed{', with its data' if volumes else '; its data stays'}" for name in removed)


COMMANDS = (status, logs, stop, restart, down)
