"""Commands about running services: status, logs, stop, restart, down, updates."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, SERVICES, YES, Settings, command
from darkpeak.errors import CheckFailed, UsageError, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkpeak.actions.service import Done
    from darkpeak.plan.status import ServiceStatus

COLOURS = {"healthy": "green", "unreachable": "red", "absent": "dim", "stopped": "yellow", "idea": "dim"}
ALARMS = ("NEVER", "OVERDUE", "FAILED")


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

    def look() -> "list[ServiceStatus]":
        return find_status(settings.targets(settings.collective(), names))

    if watch and settings.as_json:
        raise UsageError("--watch and --json do not go together", hint="leave one of them out")
    if watch:
        output.watch(look, _show_status)
    elif settings.as_json:
        output.show_json(look())
    else:
        _show_status(look())


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
def logs(settings: Settings, name: str, containers: tuple[str, ...], *, follow: bool, tail: str) -> None:
    """Show what a service's containers have written.

    \b
    Example: darkpeak logs -f wiki
    """
    from darkpeak import output

    target = settings.target(settings.collective(), name)
    arguments = ("--tail", tail, "--timestamps", *containers)
    following = ("--follow",) if follow else ()
    if settings.as_json:
        lines: list[str] = []
        code = target.compose.logs(target.service, lines.append, *arguments)
        output.show_json(lines)
    elif sys.stdout.isatty():
        code = target.compose.attach(target.service, "logs", *arguments, *following)
    else:
        code = target.compose.logs(target.service, lambda line: output.show_lines([line]), *arguments, *following)
    sys.exit(3 if code else 0)


@command("stop")
@SERVICES
def stop(settings: Settings, names: tuple[str, ...]) -> None:
    """Stop services; `up` starts them again.

    \b
    Example: darkpeak stop chat
    """
    from darkpeak.actions import service

    _show(settings, service.stop(settings.own_targets(settings.collective(), names)))


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
        done = list(service.restart(settings.own_targets(settings.collective(), names), progress))
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
        removed = [name for target in targets for name in take_down(target, progress, volumes=volumes)]
    if settings.as_json:
        output.show_json([{"service": name, "done": "removed", "volumes": volumes} for name in removed])
    else:
        output.show_lines(f"{name}: removed{', with its data' if volumes else '; its data stays'}" for name in removed)


@command("updates")
@SERVICES
def updates(settings: Settings, names: tuple[str, ...]) -> None:
    """Show outdated packages in running containers.

    One line for each: SERVICE CONTAINER PACKAGE OLD NEW, and `security` if a security archive has a newer version.
    Nothing runs in the containers: their package lists are compared with the archive's by apt, in a short container
    beside them. The archive's lists are used for an hour.

    Exits 1 if there are any, and 3 if that is unknown for a container: it does not run, it is not a Debian system with
    apt, or the archive cannot be reached, has a bad signature or is too old.

    \b
    Example: darkpeak updates wiki
    """
    from darkpeak import output
    from darkpeak.actions.updates import find_updates

    targets = settings.targets(settings.collective(), names)
    with settings.progress() as progress:
        found = find_updates(targets, progress)
    doubts = found.doubts()
    if settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else CheckFailed.exit_code if found.updates else 0)
    output.show_lines(item.line() for item in found.updates)
    if doubts:
        raise joined(doubts)
    if found.updates:
        hint = f"in services/{found.services[0]}: docker compose build --no-cache; then: darkpeak up"
        raise CheckFailed(f"out of date: {', '.join(found.services)}", hint=hint)


@command("inventory")
@SERVICES
def inventory(settings: Settings, names: tuple[str, ...]) -> None:
    """List every package that runs, with its version.

    Nothing runs in the containers: the engine sends their package lists. Exits 3 if those of a container are unknown.

    \b
    Example: darkpeak inventory wiki
    """
    from darkpeak import output
    from darkpeak.actions.inventory import take_inventory
    from darkpeak.actions.updates import doubts_of

    with settings.progress() as progress:
        found = take_inventory(settings.targets(settings.collective(), names), progress)
    doubts = doubts_of(found.unknown, "which packages {} has")
    if settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else 0)
    output.show_rows(found.packages, ("service", "container", "package", "version", "source"), {}, as_json=False)
    if doubts:
        raise joined(doubts)


@command("why")
@click.argument("package", metavar="PACKAGE")
def why(settings: Settings, package: str) -> None:
    """Show which services have a package, and why.

    It is named in the Dockerfile, it is part of the base image, or other packages need it: then the shortest chain is
    shown. Exits 1 if no running container has the package, and 3 if that is unknown for one.

    \b
    Example: darkpeak why openssl
    """
    from darkpeak import output
    from darkpeak.actions.inventory import find_reasons
    from darkpeak.actions.updates import doubts_of

    with settings.progress() as progress:
        found = find_reasons(settings.targets(settings.collective()), package, progress)
    doubts = doubts_of(found.unknown, f"whether {{}} has {package}")
    if settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else 0 if found.reasons else CheckFailed.exit_code)
    if found.reasons:
        output.show_rows(found.reasons, ("service", "container", "version", "why"), {}, as_json=False)
    if doubts:
        raise joined(doubts)
    if not found.reasons:
        raise CheckFailed(f"no running container has {package}", hint="list all packages: darkpeak inventory")


@command("clean")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def clean(settings: Settings, *, dry_run: bool) -> None:
    """Remove old images that this collective does not need.

    An image stays if a container uses it, if it has the name of a container's image, or if a deploy in `history` has
    it: so a rollback still works. The archive's lists of `updates` go too; it gets them again. Images of others stay.

    \b
    Example: darkpeak clean --dry-run
    """
    from darkpeak import output
    from darkpeak.actions.clean import clean_each
    from darkpeak.vocabulary import MIB

    targets = settings.own_targets(settings.collective(), ())
    with settings.progress() as progress:
        done = clean_each(targets, progress, dry_run=dry_run)
    if settings.as_json:
        output.show_json(done)
        return
    for item in done:
        what = "would be removed, at least" if dry_run else "removed,"
        output.show_lines([*(image.name for image in item.images), *item.indexes])
        removed = f"{len(item.images)} image names and {len(item.indexes)} package indexes"
        output.show_lines([f"{removed} {what} {item.bytes / MIB:.0f} MiB of images"])


COMMANDS = (status, logs, stop, restart, down, updates, inventory, why, clean)
