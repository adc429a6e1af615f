"""Commands about host names on this machine: dns setup, dns undo."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError
from darkpeak.vocabulary import DNS

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective
    from darkpeak.names.setup import Change, Setup

LOCALHOST = "localhost"  # a top-level domain that needs no DNS


@click.group("dns")
def dns() -> None:
    """Have this machine resolve the collective's host names.

    \b
    Example: darkpeak dns setup
    """


@command("setup")
@click.option("--write", "really", is_flag=True, help="Make the changes, and do not only show them.")
def setup_command(settings: Settings, *, really: bool) -> None:
    """Show, or make, the changes that resolve the names here.

    After the changes, programs on this machine resolve DOMAIN and every name below it with the collective's dns
    service, which must run on this machine.

    Exits 1 if a change is missing, and --write was not given.

    \b
    Example: darkpeak dns setup --write
    """
    from darkpeak import output
    from darkpeak.names import files
    from darkpeak.network import resolve

    collective = settings.collective()
    setup = _setup_for(collective)
    if setup is None:
        output.show_json({"needed": []}) if settings.as_json else output.show_lines(_no_dns(collective))
        return
    missing = files.waiting(setup)
    if really:
        files.check(setup)
        for change in missing:
            files.write(change)
    message = files.reload(setup) if really and missing else ""
    found = resolve(f"{DNS}.{collective.domain}") if really or not missing else ()
    if settings.as_json:
        output.show_json({"setup": setup, "missing": missing, "written": really, "leads_to": found, "message": message})
    else:
        output.show_lines(_lines(setup, missing, really=really))
        output.show_lines([message] * bool(message))
        output.show_lines([_ending(collective, found)] if really or not missing else [])
    sys.exit(1 if missing and not really else 0)


@command("undo")
def undo_command(settings: Settings) -> None:
    """Undo what `dns setup --write` wrote.

    Afterwards every file is as it was before, byte for byte.

    \b
    Example: darkpeak dns undo
    """
    from darkpeak import output
    from darkpeak.names import files
    from darkpeak.names.setup import find_resolver, make_setup

    setup = make_setup(find_resolver(files.look()), LOCALHOST, 53)
    done = files.undo()
    message = files.reload(setup) if done else ""
    if settings.as_json:
        output.show_json({"undone": done, "message": message})
    else:
        output.show_lines([*(f"undone: {path}" for path in done), *[message] * bool(message)] or ["nothing to undo"])


def _setup_for(collective: "Collective") -> "Setup | None":
    """Return what this machine's resolver needs, or None for names that need no DNS."""
    from darkpeak.names import files
    from darkpeak.names.setup import find_resolver, make_setup

    if collective.domain.rpartition(".")[2] == LOCALHOST:
        return None
    service = next((item for item in collective.services if item.name == DNS), None)
    port = next((port.published[0] for port in service.ports if port.protocol == "udp"), None) if service else None
    if port is None:
        what = "there is no service dns that publishes a UDP port"
        raise UsageError(what, hint="copy services/dns from the catalogue")
    return make_setup(find_resolver(files.look()), collective.domain, port)


def _no_dns(collective: "Collective") -> list[str]:
    return [
        f"*.{collective.domain} needs no DNS: browsers and curl know that it is this machine",
        "for other programs: apt-get install libnss-myhostname",
    ]


def _lines(setup: "Setup", missing: "tuple[Change, ...]", *, really: bool) -> list[str]:
    """Return in words what must be done, or what was done."""
    if not missing:
        return [f"nothing to do: {setup.resolver} is set up"]
    lines = [f"this machine resolves names with {setup.resolver}"]
    for change in missing:
        verb = ("wrote" if really else "write") if change.own else f"{'added' if really else 'add'} at the beginning of"
        lines += [f"{verb} {change.path}: {change.cause}", *(f"    {line}" for line in change.text.splitlines())]
    if not really:
        lines += [f"run {' '.join(setup.command)}"] * bool(setup.command)
    lines += [setup.note] * bool(setup.note)
    return lines if really else [*lines, "make these changes: darkpeak dns setup --write; undo them: darkpeak dns undo"]


def _ending(collective: "Collective", found: tuple[str, ...]) -> str:
    if found:
        return f"*.{collective.domain} resolves to {', '.join(found)}"
    return f"*.{collective.domain} does not resolve yet; start the dns service: darkpeak up dns"


for item in (setup_command, undo_command):
    dns.add_command(item)

COMMANDS = (dns,)
