"""Commands about the router: routes, maintenance, ssh-config, ca, certificates."""

import sys

import click

from darkpeak.cli.common import SERVICE, Settings, command
from darkpeak.errors import UsageError

TRUST = """Save this as collective-ca.crt. Then, once on each machine:
  Debian:   sudo install -m 644 collective-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
  Firefox:  Settings, Certificates, View, Authorities, Import
  Chromium: Settings, Privacy and security, Security, Manage certificates, Import
This CA can issue certificates only for the names of this collective."""


@command("routes")
@click.option("--check", is_flag=True, help="Show where the running router differs from the files.")
def routes(settings: Settings, *, check: bool) -> None:
    """Show where each host name and public port leads.

    With --check, it exits 1 if the running router differs from the files.

    \b
    Example: darkpeak routes --check
    """
    from darkpeak import output
    from darkpeak.actions.routes import check_routes, find_routes

    targets = settings.targets(settings.collective())
    if not check:
        columns = ("address", "service", "port", "state")
        found = settings.each(targets, find_routes, side_by_side=True)
        output.show_rows(found, columns, {"healthy": "green"}, as_json=settings.as_json)
        return
    drift = settings.each(targets, check_routes, side_by_side=True)
    if settings.as_json:
        output.show_json(drift)
    elif drift:
        output.show_lines([*map(str, drift), "synchronise the router: darkpeak up"])
    else:
        output.show_lines(["the router matches the files"])
    sys.exit(1 if drift else 0)


@command("maintenance")
@SERVICE
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@click.argument("notice", metavar="[NOTICE]", required=False, default="please try again in a while")
@click.option("--minutes", default=10, show_default=True, help="After how many minutes clients may try again.")
def maintenance(settings: Settings, *, name: str, state: str, notice: str, minutes: int) -> None:
    """Show members a notice instead of a service.

    The router answers with the notice until `maintenance SERVICE off`.

    \b
    Example: darkpeak maintenance wiki on "back at nine"
    """
    from darkpeak import output
    from darkpeak.actions.routes import set_notice
    from darkpeak.router.control import Notice

    shown = Notice(minutes * 60, notice) if state == "on" else None
    set_notice(settings.target(settings.collective(), name), shown)
    if settings.as_json:
        output.show_json({"service": name, "notice": notice if shown else None})
    else:
        output.show_lines([f"{name}: {f'shows the notice: {notice}' if shown else 'open again'}"])


@command("ssh-config")
def ssh_config(settings: Settings) -> None:
    """Print a block for ~/.ssh/config, to reach services by ssh.

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
    """Print the certificate of the collective's own CA.

    It is printed on standard output, and how to trust it on standard error.

    \b
    Example: darkpeak ca >collective-ca.crt
    """
    from darkpeak import output
    from darkpeak.actions.routes import find_authority

    targets = settings.targets(settings.collective())
    found = list(dict.fromkeys(settings.each(targets, lambda target: [find_authority(target)], side_by_side=True)))
    if settings.as_json:
        output.show_json(found)
        return
    output.show_lines(text.rstrip("\n") for text in found)
    output.note(TRUST)


@command("certificates")
@click.option("--renew", "renewed", metavar="NAME", help="Request the certificate of this name now.")
def certificates(settings: Settings, *, renewed: str | None) -> None:
    """Show each certificate: its issuer, its end, and failures.

    Exits 1 if a certificate is missing or has expired, or if a request for one failed.

    \b
    Example: darkpeak certificates
    """
    from darkpeak import output
    from darkpeak.actions.certificates import find_certificates, renew

    targets = settings.targets(settings.collective())
    if renewed and not any(settings.each(targets, lambda target: [renew(target, renewed)])):
        raise UsageError(f"no certificate is requested for {renewed}", hint="list all: darkpeak certificates")
    rows = settings.each(targets, find_certificates, side_by_side=True)
    columns = ("names", "issuer", "until", "renewal", "failed")
    failures = {row.failed: "red" for row in rows if row.failed}
    output.show_rows(rows, columns, failures, as_json=settings.as_json)
    sys.exit(0 if all(row.sound for row in rows) else 1)


COMMANDS = (routes, maintenance, ssh_config, ca, certificates)
