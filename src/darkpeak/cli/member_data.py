"""Commands about what services store of a member: member export."""

from pathlib import Path

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import SystemFailure


@command("export")
@click.argument("uid")
@click.argument("to", metavar="DIR", type=click.Path(path_type=Path))
def export(settings: Settings, uid: str, to: Path) -> None:
    """Write what all services store of a member into a folder.

    The files are in open formats; `index.html` in the folder leads to them. Give them to the member. Each service with
    a script for it (scripts/export-member) has a folder of its own. After an interruption, run the same command again:
    it goes on with the services that are missing. Exits 3 if a service could not do it.

    \b
    Example: darkpeak member export ada ./ada
    """
    from datetime import datetime

    from darkpeak import output
    from darkpeak.actions.export_member import export_member

    targets = settings.targets(settings.collective())
    with settings.progress() as progress:
        done = export_member(targets, uid, to.absolute(), datetime.now().astimezone(), progress)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(f"{item.service}: {item.done}" for item in done if not item.failed)
        output.show_lines([f"open {to / 'index.html'} in a browser"])
    failed = ", ".join(f"{item.service} ({item.done})" for item in done if item.failed)
    if failed:
        raise SystemFailure(f"{uid}: not exported from {failed}", hint="see why, then run the same command again")
