"""Commands that only look: status, ports, routes, roadmap, lint, logs."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from darkpeak.cli.common import Group, Settings, command, one

if TYPE_CHECKING:
    from darkpeak.plan.status import Status

SERVICES = click.argument("names", metavar="[SERVICE…]", nargs=-1)
COLOURS = {"healthy": "green", "absent": "dim", "stopped": "yellow", "idea": "dim"}


ALARMS = ("NEVER", "OVERDUE", "FAILED")


def _show(settings: Settings, rows: Sequence[Any], columns: Sequence[str]) -> None:
    """Print values as a table with one column an attribute, or as JSON."""
    from darkpeak import output

    if settings.as_json:
        output.show_json(rows)
    else:
        cells = output.as_rows(rows, columns)
        alarms = {cell: "red" for row in cells for cell in row if cell.startswith(ALARMS)}
        output.show_table(columns, cells, COLOURS | alarms)


@command("status")
@SERVICES
def status(settings: Settings, names: tuple[str, ...]) -> None:
    """Show how each service is, what it had to do since the router was last loaded, and who runs it.

    \b
    Example: darkpeak status
    """
    from darkpeak.actions.up import find_router
    from darkpeak.errors import SystemFailure
    from darkpeak.plan.status import make_status

    rows = []
    for group in settings.groups(settings.collective(), names):
        observed = group.engine.observe()
        counted = []
        with suppress(SystemFailure):  # a router that is ill must not hide how the others are
            router = find_router(group.collective, group.compose, observed)
            counted = router.counters() if router else []
        told = make_status(group.collective, group.services, observed, group.host, counted)
        rows += _with_backups(group, told) if group.collective.backup.repositories else told
    placed = ("host",) if any(row.host for row in rows) else ()
    traffic = ("requests", "failed", "ms") if any(row.requests for row in rows) else ()
    proofs = ("saved", "drilled") if any(row.saved for row in rows) else ()
    _show(settings, rows, ("service", *placed, "kind", "level", "state", *traffic, *proofs, "address", "admins"))
    if proofs and not settings.as_json:
        _show(settings, rows[:1], ("nightly",))


def _with_backups(group: Group, rows: "list[Status]") -> "list[Status]":
    """Say how old each service's newest set is, when one was last restored, and when the night last came."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from darkpeak.evidence import records
    from darkpeak.evidence import summary as proof

    running = [service.name for service in group.services if service.runs]
    found, now = records.read(group.engine), datetime.now(UTC)
    said = proof.describe(found, running, now)
    night = proof.describe_night(found, group.collective.name, now)
    proofs = [said.get(row.service, ("", "")) for row in rows]
    pairs = zip(rows, proofs, strict=True)
    return [replace(row, saved=saved, drilled=drilled, nightly=night) for row, (saved, drilled) in pairs]


@command("ports")
def ports(settings: Settings) -> None:
    """Show which port belongs to which service.

    \b
    Example: darkpeak ports
    """
    from darkpeak.plan.status import make_ports

    _show(settings, make_ports(settings.collective()), ("port", "service", "container", "target", "route"))


@command("routes")
@click.option("--check", is_flag=True, help="Compare with what the running router does; 1 when they differ.")
def routes(settings: Settings, *, check: bool) -> None:
    """Show which host name or public port leads where.

    \b
    Example: darkpeak routes --check
    """
    from darkpeak import output
    from darkpeak.actions.up import find_router
    from darkpeak.errors import SystemFailure
    from darkpeak.plan.routes import list_routes, make_table

    listed: list[Any] = []
    drift: list[Any] = []
    for group in settings.groups(settings.collective()):
        observed = group.engine.observe()
        here = {service.name for service in group.services}
        listed += [route for route in list_routes(group.collective, observed) if route.service in here]
        router = find_router(group.collective, group.compose, observed) if check else None
        if check and router is None:
            raise SystemFailure(f"no router runs on {group.engine.name}", hint="darkpeak up router")
        drift += router.drift(make_table(group.collective, observed)) if router else []
    if not check:
        _show(settings, listed, ("address", "service", "port", "state"))
        return
    if settings.as_json:
        output.show_json(drift)
    else:
        output.show_lines(
            [*map(str, drift), "darkpeak up brings it back in line"] if drift else ["the router is in line"]
        )
    sys.exit(1 if drift else 0)


@command("roadmap")
def roadmap(settings: Settings) -> None:
    """Show all services by level, ideas too, with admins and who is still missing.

    \b
    Example: darkpeak roadmap
    """
    from darkpeak.collective.model import LEVELS
    from darkpeak.plan.status import make_roadmap

    rows = make_roadmap(settings.collective(), LEVELS)
    _show(settings, rows, ("level", "service", "kind", "about", "admins", "missing"))


@command("lint")
@click.argument("name", metavar="[SERVICE]", required=False)
def lint(settings: Settings, name: str | None) -> None:
    """Check the files against the rules; 1 when there are findings.

    \b
    Example: darkpeak lint wiki
    """
    from darkpeak import output

    collective, findings = settings.findings()
    if name:
        folder = f"services/{one(collective, name).name}/"
        findings = [finding for finding in findings if finding.at.file.startswith(folder)]
    if settings.as_json:
        output.show_json([{"at": str(f.at), "rule": f.rule, "what": f.what, "hint": f.hint} for f in findings])
    else:
        output.show_lines(f"{f.at}: {f.what} [{f.rule}]\n    {f.hint}" for f in findings)
        output.note(f"{len(findings)} findings" if findings else "no findings")
    sys.exit(1 if findings else 0)


@command("logs")
@click.argument("name", metavar="SERVICE")
@click.argument("containers", metavar="[CONTAINER…]", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on as they come.")
@click.option("--tail", default="200", show_default=True, metavar="LINES", help="How many lines, or all.")
def logs(settings: Settings, name: str, containers: tuple[str, ...], *, follow: bool, tail: str) -> None:
    """Show what a service's containers have written.

    \b
    Example: darkpeak logs -f wiki
    """
    from darkpeak import output

    group = settings.group(settings.collective(), name)
    compose, service = group.compose, group.services[0]
    arguments = ("logs", "--tail", tail, "--timestamps", *containers)
    if settings.as_json:
        shown = compose.call(service, "logs", "--no-color", "--tail", tail, "--timestamps", *containers)
        output.show_json(shown.stdout.decode(errors="replace").splitlines())
        sys.exit(3 if shown.code else 0)
    sys.exit(3 if compose.attached(service, *arguments, *(["--follow"] if follow else [])) else 0)


COMMANDS = (status, ports, routes, roadmap, lint, logs)
