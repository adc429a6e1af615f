"""Commands that change what a service is called: rename, move."""

import click

from darkpeak.cli.common import SERVICE, Settings, command
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


COMMANDS = (rename, move)
