"""Commands that change what a service, or all of them, are called: rename, move, domain."""

import click

from darkpeak.cli.common import SERVICE, YES, Settings, command
from darkpeak.cli.deploy import require
from darkpeak.errors import UsageError


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
@click.argument("block", type=int)
def move(settings: Settings, name: str, block: int) -> None:
    """Move a service to another block, in its compose file.

    It changes the block, the ports, the routes and the subnet in the file; comments stay. `darkpeak plan` then shows
    what `up` will do: it makes the service's network again, for which the service is stopped.

    \b
    Example: darkpeak move wiki 6030
    """
    from darkpeak import output
    from darkpeak.life import rename as actions

    target = settings.target(settings.collective(), name)
    file = str(actions.move(target, block).relative_to(target.collective.root))
    if settings.as_json:
        output.show_json({"service": name, "block": block, "file": file})
    else:
        output.show_lines([f"{file} has block {block} now; deploy it: darkpeak up {name}"])


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
