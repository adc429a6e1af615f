"""Commands that make services from the catalogue: add."""

import click

from darkpeak.cli.common import Settings, command

ADMINS = click.option("--admin", "admins", metavar="ADMIN", multiple=True, help="Who runs it; give it twice.")


@command("add")
@click.argument("name")
@click.option("--as", "new", metavar="OTHER", default="", help="Its name in this collective (default: the same).")
@ADMINS
def add(settings: Settings, name: str, new: str, admins: tuple[str, ...]) -> None:
    """Copy a service of the catalogue into this collective.

    The copy is yours: change it as you like. It gets the next free block if its own is in use, and two admins: all of
    the collective, if there are only two. `darkpeak diff` shows later what has changed in the catalogue.

    \b
    Example: darkpeak add wiki
    Example: darkpeak add wiki --as handbook --admin ada --admin grace
    """
    from darkpeak import output
    from darkpeak.actions import add as actions

    made = actions.add(settings.checked(), name, new, admins)
    if settings.as_json:
        output.show_json(made)
        return
    output.show_lines([f"{made.folder} is new: block {made.block}, admins {', '.join(made.admins) or 'none'}"])
    output.note(f"start it: darkpeak up {made.name}")


COMMANDS = (add,)
