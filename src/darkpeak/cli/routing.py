"""Commands about the router: maintenance, ssh-config, ca, certificates."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command, one
from darkpeak.errors import SystemFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkpeak.router.control import Router

TRUST = """Save this as collective-ca.crt, then, once on each machine:
  Debian:   sudo install -m 644 collective-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
  Firefox:  Settings, Certificates, View, Authorities, Import
  Chromium: Settings, Privacy and security, Security, Manage certificates, Import
It can vouch for this collective's names only."""


def _routers(settings: Settings, name: str | None = None) -> "Iterator[Router]":
    """Give the router of each engine on which the named service, or any, lives."""
    from darkpeak.actions.up import find_router

    for group in settings.groups(settings.collective(), (name,) if name else ()):
        router = find_router(group.collective, group.compose, group.engine.observe())
        if router is None:
            raise SystemFailure(f"no router runs on {group.engine.name}", hint="darkpeak up router")
        yield router


@command("maintenance")
@click.argument("name", metavar="SERVICE")
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@click.argument("notice", metavar="[NOTICE]", required=False, default="please try again in a while")
@click.option("--minutes", default=10, show_default=True, help="After how long browsers and robots should try again.")
def maintenance(settings: Settings, *, name: str, state: str, notice: str, minutes: int) -> None:
    """Let the router answer for a service with a notice, until it is taken down again.

    \b
    Example: darkpeak maintenance wiki on "back at nine"
    """
    from darkpeak import output
    from darkpeak.router.control import Notice

    labels = [route.label for route in one(settings.collective(), name).http]
    if not labels:
        raise UsageError(f"{name} has no http route, so there is no page to put up", hint=f"darkpeak stop {name}")
    put_up = Notice(minutes * 60, notice) if state == "on" else None
    for router in _routers(settings, name):
        for label in labels:
            router.set_notice(label, put_up)
    if settings.as_json:
        output.show_json({"service": name, "notice": notice if put_up else None})
    else:
        output.show_lines([f"{name}: {f'notice up: {notice}' if put_up else 'open again'}"])


@command("ssh-config")
def ssh_config(settings: Settings) -> None:
    """Print the block for ~/.ssh/config which leads ssh to the services by their names.

    \b
    Example: darkpeak ssh-config >>~/.ssh/config
    """
    from darkpeak import output
    from darkpeak.plan.ssh_config import make_ssh_config

    lines = make_ssh_config(settings.collective())
    if settings.as_json:
        output.show_json(lines)
    elif lines:
        output.show_lines(lines)
    else:
        output.note("no service has an ssh route")


@command("ca")
def ca(settings: Settings) -> None:
    """Print the certificate of the collective's own authority, and how to trust it.

    \b
    Example: darkpeak ca >collective-ca.crt
    """
    from darkpeak import output

    found = [router.authority() for router in _routers(settings)]
    if settings.as_json:
        output.show_json(found)
        return
    output.show_lines(text.rstrip("\n") for text in dict.fromkeys(found))
    output.note(TRUST)


@command("certificates")
@click.option("--renew", "renewed", metavar="NAME", help="Ask for this one now, whenever it is due.")
def certificates(settings: Settings, *, renewed: str | None) -> None:
    """Show who vouches for each name, until when, and what failed; 1 when a certificate is missing or overdue.

    \b
    Example: darkpeak certificates
    """
    import time

    from darkpeak import output
    from darkpeak.actions.up import find_router, renew
    from darkpeak.plan.certificates import find_certificate, list_certificates

    rows, found = [], not renewed
    for group in settings.groups(settings.collective()):
        observed = group.engine.observe()
        known = find_certificate(group.collective, observed, renewed) if renewed else None
        if known:
            renew(group.collective, group.engine, observed, known)
            found = True
        router = find_router(group.collective, group.compose, observed)
        if router is None:
            raise SystemFailure(f"no router runs on {group.engine.name}", hint="darkpeak up router")
        rows += list_certificates(group.collective, observed, router.certificates(), time.time())
    if not found:
        raise UsageError(f"no certificate is asked for {renewed}", hint="darkpeak certificates lists them all")
    if settings.as_json:
        output.show_json(rows)
    else:
        columns = ("names", "issuer", "until", "renewal", "failed")
        cells = output.as_rows(rows, columns)
        output.show_table(columns, cells, {row[-1]: "red" for row in cells if row[-1]})
    sys.exit(0 if all(row.sound for row in rows) else 1)


COMMANDS = (maintenance, ssh_config, ca, certificates)
