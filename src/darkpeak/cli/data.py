"""The command that asks services for updates."""

import sys

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed, SystemFailure


@command("updates")
@click.argument("names", metavar="[SERVICE…]", nargs=-1)
def updates(settings: Settings, names: tuple[str, ...]) -> None:
    """Show packages that are out of date in running containers; 1 when there are any.

    \b
    Example: darkpeak updates wiki
    """
    from darkpeak import output

    found: dict[str, list[str]] = {}
    groups = settings.groups(settings.collective(), names)
    for service, compose in ((item, group.compose) for group in groups for item in group.services if item.runs):
        asked = compose.script_kept(service, "updates")
        if asked.code:
            raise SystemFailure(f"{service.name} could not be asked: {asked.complaint()}", hint="is it up?")
        found.setdefault(service.name, []).extend(asked.stdout.decode(errors="replace").splitlines())
    if settings.as_json:
        output.show_json(found)
    else:
        several = len(found) > 1
        output.show_lines(f"{name}: {line}" if several else line for name, lines in found.items() for line in lines)
    if any(found.values()):
        late = [name for name, lines in found.items() if lines]
        if not settings.as_json:
            message = f"out of date: {', '.join(late)}"
            raise CheckFailed(message, hint=f"docker compose build --no-cache in services/{late[0]}, then darkpeak up")
        sys.exit(CheckFailed.exit_code)


COMMANDS = (updates,)
