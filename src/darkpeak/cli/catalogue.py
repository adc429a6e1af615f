"""Commands that make services from the catalogue: add, new, diff."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, Settings, command

if TYPE_CHECKING:
    from darkpeak.life.add import Made
    from darkpeak.life.diff import Taken

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
    from darkpeak.life import add as actions

    _show(settings, actions.add(settings.checked(), name, new, admins))


@command("new")
@click.argument("name")
@click.option("--like", "shape", metavar="SHAPE", required=True, help="What it is like; see above.")
@click.option(
    "--from", "source", metavar="SOURCE", default="debian", help="Its program: debian (default), pypi or npm."
)
@ADMINS
def new(settings: Settings, name: str, shape: str, source: str, admins: tuple[str, ...]) -> None:
    """Make a service of your own, which begins as a small program.

    It works at once: it starts, members log in, it can be backed up and drilled. Then write your own program in its
    place. The shapes:

    \b
    web           keeps files                web-sqlite   keeps an SQLite database
    web-postgres  keeps a PostgreSQL one     web-mariadb  keeps a MariaDB one
    static        shows files                tcp          is no website
    gate          logs members in to a program that takes their name from a header

    With --from pypi or npm, `scripts/packages` fetches the packages that its program needs, on this machine.

    \b
    Example: darkpeak new calendar --like web-sqlite
    """
    from darkpeak import output
    from darkpeak.life import add as actions

    made = actions.new(settings.checked(), name, shape, source, admins)
    if source != actions.DEBIAN and not settings.as_json:
        output.note(f"fetch its packages first: {made.folder}/scripts/packages")
    _show(settings, made)


def _show(settings: Settings, made: "Made") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(made)
        return
    output.show_lines([f"{made.folder} is new: block {made.block}, admins {', '.join(made.admins) or 'none'}"])
    output.note(f"start it: darkpeak up {made.name}")


@command("diff")
@SERVICE
@click.option("--take", is_flag=True, help="Merge it into the service's files.")
def diff(settings: Settings, name: str, *, take: bool) -> None:
    """Show what has changed in the catalogue for a service.

    --take merges it into the service's files, which must be committed in git. What you changed stays. If you and the
    catalogue changed the same lines, both are in the file, between markers as git writes them. Its data is never
    touched; `darkpeak plan` then shows what `up` will do.

    Exits 1 if there are changes, and with --take if something must be merged by hand.

    \b
    Example: darkpeak diff wiki
    Example: darkpeak diff wiki --take
    """
    from darkpeak import output
    from darkpeak.deploy.target import choose
    from darkpeak.life import diff as actions

    collective = settings.checked().collective
    (service,) = choose(collective, (name,))
    if take:
        _show_taken(settings, actions.take(collective, service))
        return
    found = actions.diff(service)
    if settings.as_json:
        output.show_json(found)
    elif found.lines:
        output.show_lines(found.lines)
        output.note(f"take it over: darkpeak diff {name} --take")
    else:
        output.note(f"nothing has changed in the catalogue since {found.before}")
    sys.exit(1 if found.lines else 0)


def _show_taken(settings: Settings, taken: "Taken") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(taken)
    else:
        output.show_lines(f"changed: {file}" for file in taken.changed)
        output.show_lines(f"removed: {file}" for file in taken.removed)
        output.show_lines(f"conflict: {file} {why}" for file, why in taken.conflicts.items())
        output.note(f"look at it: git diff -- services/{taken.service}")
    sys.exit(1 if taken.conflicts else 0)


COMMANDS = (add, new, diff)
