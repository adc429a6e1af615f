"""Commands about what is written down: roadmap and ports."""

from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective


@command("roadmap")
def roadmap(settings: Settings) -> None:
    """Show all services by level, ideas too, and who is missing.

    It asks the engines which level each service really has, and shows what it lacks for the level that it claims, or
    for the next one. For each requirement, and what to do: darkpeak level SERVICE.

    \b
    Example: darkpeak roadmap
    """
    from darkpeak import output
    from darkpeak.actions.level import find_levels
    from darkpeak.plan.status import make_roadmap

    collective = settings.collective()
    judged = find_levels(settings.targets(collective))
    rows = make_roadmap(collective, {item.service: (item.measured, item.lacks) for item in judged})
    columns = ("level", "service", "kind", "about", "admins", "missing", "measured", "lacks")
    output.show_rows(rows, columns, {"idea": "dim"}, as_json=settings.as_json, key=2)
    for reason in sorted({item.unknown for item in judged if item.unknown}):
        output.note(f"note: what runs is not known, so only the files count: {reason}")


@command("ports")
@click.option(
    "--free",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=1,
    metavar="[N]",
    help="Show only the next free block, or the next N.",
)
def ports(settings: Settings, free: int | None) -> None:
    """Show which port belongs to which service, and a free block.

    With --free, it exits 1 if no block is free.

    \b
    Example: darkpeak ports
    Example: darkpeak ports --free 3
    """
    from darkpeak import output
    from darkpeak.plan.status import describe_free_block, make_ports

    collective = settings.collective()
    if free is not None:
        _show_free(settings, collective, free)
        return
    claims = make_ports(collective)
    output.show_rows(claims, ("port", "service", "container", "target", "route"), {}, as_json=settings.as_json, key=2)
    if not settings.as_json:
        output.note(describe_free_block(collective))


def _show_free(settings: Settings, collective: "Collective", number: int) -> None:
    from darkpeak import output
    from darkpeak.plan.blocks import NO_BLOCK, free_blocks

    found = free_blocks(collective)[:number]
    if not found:
        raise CheckFailed(NO_BLOCK, hint="remove a service that nobody uses: darkpeak roadmap")
    rows = [{"block": item.block, "ports": item.ports, "subnet": item.subnet} for item in found]
    if settings.as_json:
        output.show_json(rows)
    else:
        output.show_table(("block", "ports", "subnet"), [[str(value) for value in row.values()] for row in rows])


COMMANDS = (roadmap, ports)
