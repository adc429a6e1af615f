"""Commands about names on this machine: dns setup, dns undo."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError
from darkpeak.vocabulary import DNS

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective
    from darkpeak.names.setup import Change, Setup

BY_ITSELF = "localhost"


@click.group("dns")
def dns() -> None:
    """The collective's names on this machine: setup, undo.

    \b
    Example: darkpeak dns setup
    """


@command("setup")
@click.option("--write", "really", is_flag=True, help="Do it, and not only show it.")
def setup_command(settings: Settings, *, really: bool) -> None:
    """Show what this machine needs to find the collective's names, and with --write do it; 1 when something is missing.

    Programs that ask the C library then find DOMAIN and every name below it, at the dns service on this machine.

    \b
    Example: darkpeak dns setup --write
    """
    from darkpeak import output
    from darkpeak.names import files
    from darkpeak.network import resolve

    collective = settings.collective()
    setup = _setup_for(collective)
    if setup is None:
        output.show_json({"needed": []}) if settings.as_json else output.show_lines([_by_itself(collective)])
        return
    missing = files.waiting(setup)
    if really:
        files.check(setup)
        for change in missing:
            files.write(change)
    said = files.reload(setup) if really and missing else ""
    found = resolve(f"{DNS}.{collective.domain}") if really or not missing else ()
    if settings.as_json:
        output.show_json({"setup": setup, "missing": missing, "written": really, "leads_to": found, "said": said})
    else:
        output.show_lines(_lines(setup, missing, really=really))
        output.show_lines([said] * bool(said))
        output.show_lines([_ending(collective, found)] if really or not missing else [])
    sys.exit(1 if missing and not really else 0)


@command("undo")
def undo_command(settings: Settings) -> None:
    """Take back what `dns setup --write` wrote: every file is as it was, byte for byte.

    \b
    Example: darkpeak dns undo
    """
    from darkpeak import output
    from darkpeak.names import files
    from darkpeak.names.setup import find_resolver, make_setup

    setup = make_setup(find_resolver(files.look()), BY_ITSELF, 53)
    done = files.undo()
    said = files.reload(setup) if done else ""
    if settings.as_json:
        output.show_json({"undone": done, "said": said})
    else:
        output.show_lines([*(f"as it was: {path}" for path in done), *[said] * bool(said)] or ["nothing to undo"])


def _setup_for(collective: "Collective") -> "Setup | None":
    """Return what this machine's resolver needs; nothing for names that need no DNS."""
    from darkpeak.names import files
    from darkpeak.names.setup import find_resolver, make_setup

    if collective.domain.rpartition(".")[2] == BY_ITSELF:
        return None
    service = next((item for item in collective.services if item.name == DNS), None)
    port = next((port.published[0] for port in service.ports if port.protocol == "udp"), None) if service else None
    if port is None:
        raise UsageError(
            "there is no service dns that publishes a udp port", hint="copy services/dns from the catalogue"
        )
    return make_setup(find_resolver(files.look()), collective.domain, port)


def _by_itself(collective: "Collective") -> str:
    rest = "for others: apt-get install libnss-myhostname"
    return f"*.{collective.domain} needs no DNS: browsers and curl know that it is this machine; {rest}"


def _lines(setup: "Setup", missing: "tuple[Change, ...]", *, really: bool) -> list[str]:
    """Return what is needed, or was done, in words."""
    if not missing:
        return [f"nothing to do: {setup.resolver} is told already"]
    lines = [f"{setup.resolver} finds this machine's names"]
    for change in missing:
        verb = ("wrote" if really else "write") if change.own else ("began" if really else "begin")
        lines += [f"{verb} {change.path}: {change.cause}", *(f"    {line}" for line in change.text.splitlines())]
    if not really:
        lines += [f"run {' '.join(setup.command)}"] * bool(setup.command)
    lines += [setup.note] * bool(setup.note)
    return lines if really else [*lines, "darkpeak dns setup --write does this, darkpeak dns undo takes it back"]


def _ending(collective: "Collective", found: tuple[str, ...]) -> str:
    if found:
        return f"*.{collective.domain} leads to {', '.join(found)}"
    return f"*.{collective.domain} does not resolve yet; darkpeak up dns starts the service that answers"


for item in (setup_command, undo_command):
    dns.add_command(item)

COMMANDS = (dns,)
