"""Commands about the router: routes, maintenance, ssh-config, ca, certificates."""

import sys

import click

from darkpeak.cli.common import SERVICE, Settings, command

TRUST = """Save this as collective-ca.crt, then, once on each machine:
  Debian:   sudo install -m 644 collective-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
  Firefox:  Settings, Certificates, View, Authorities, Import
  Chromium: Settings, Privacy and security, Security, Manage certificates, Import
It can vouch for this collective's names only."""


@command("routes")
@click.option("--check", is_flag=True, help="Compare with what the running router does; exits 1 when they differ.")
def routes(settings: Settings, *, check: bool) -> None:
    """Show which host name or public port leads where.

    \b
    Example: darkpeak routes --check
    """
    from darkpeak import output
    from darkpeak.actions.routes import check_routes, find_routes

    targets = settings.targets(settings.collective())
    if not check:
        columns = ("address", "service", "port", "state")
        output.show_rows(find_routes(targets), columns, {"healthy": "green"}, as_json=settings.as_json)
        return
    drift = check_routes(targets)
    if settings.as_json:
        output.show_json(drift)
    elif drift:
        output.show_lines([*map(str, drift), "darkpeak up synchronises the router"])
    else:
        output.show_lines(["the router matches the configuration"])
    sys.exit(1 if drift else 0)


@command("maintenance")
@SERVICE
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@click.argument("notice", metavar="[NOTICE]", required=False, default="please try again in a while")
@click.option("--minutes", default=10, show_default=True, help="After how long browsers and robots should try again.")
def maintenance(settings: Settings, *, name: str, state: str, notice: str, minutes: int) -> None:
    """Have the router answer for a service with a notice, until it is taken down again.

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
        output.show_lines([f"{name}: {f'showing the notice: {notice}' if shown else 'open again'}"])


@command("ssh-config")
def ssh_config(settings: Settings) -> None:
    """Print the block for ~/.ssh/config that leads ssh to the services by their names.

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
    from darkpeak.actions.routes import find_authorities

    found = find_authorities(settings.targets(settings.collective()))
    if settings.as_json:
        output.show_json(found)
        return
    output.show_lines(text.rstrip("\n") for text in found)
    output.note(TRUST)


@command("certificates")
@click.option("--renew", "renewed", metavar="NAME", help="Request this one now, even if it is not due.")
def certificates(settings: Settings, *, renewed: str | None) -> None:
    """Show who issued each certificate, until when it is valid, and what failed; exits 1 when one needs attention.

    \b
    Example: darkpeak certificates
    """
    from darkpeak import output
    from darkpeak.actions.certificates import find_certificates, renew

    targets = settings.targets(settings.collective())
    if renewed:
        renew(targets, renewed)
    rows = find_certificates(targets)
    columns = ("names", "issuer", "until", "renewal", "failed")
    failures = {row.failed: "red" for row in rows if row.failed}
    output.show_rows(rows, columns, failures, as_json=settings.as_json)
    sys.exit(0 if all(row.sound for row in rows) else 1)


COMMANDS = (routes, maintenance, ssh_config, ca, certificates)
