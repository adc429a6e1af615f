"""Commands about the directory itself: directory check."""

import sys

import click

from darkpeak.cli.common import SERVICE, Settings, command
from darkpeak.vocabulary import DIRECTORY

VERDICTS = {"ok": "green", "bad": "red"}


@click.group("directory")
def directory() -> None:
    """Check how services ask the directory of members.

    \b
    Example: darkpeak directory check wiki
    """


@command("check")
@SERVICE
@click.option("--container", default="", help="Only this container of the service.")
@click.option("--member", "uid", default="", metavar="UID", help="Search for this member (default: one of a group).")
@click.option("--address", default="", metavar="URL", help="Instead of the address in the files: ldaps://directory")
@click.option("--ca", default="", metavar="FILE", help="Instead of the CA in the files: /trust/ca.crt")
@click.option("--base", default="", metavar="DN", help="Instead of the search base in the files.")
@click.option("--filter", "filter_", default="", metavar="FILTER", help="Instead of the filter: (uid=%u)")
@click.option("--group-base", default="", metavar="DN", help="Instead of the search base for groups.")
@click.option("--group-filter", default="", metavar="FILTER", help="Instead of the filter for groups.")
def check(settings: Settings, name: str, container: str, uid: str, **given: str) -> None:
    """Prove a service's LDAP settings with the live directory.

    The address, the CA, the search base and the filters are found in the files from which the service's containers are
    built, and in their variables. Then each step of a login is tried from where the container is: its network, its
    names, TLS with its CA, the anonymous search for a member, a wrong password, the search for groups. A check needs
    those before it, so it ends with the first that failed. One failed login is counted for that member.

    Exits 1 if a check failed.

    \b
    Example: darkpeak directory check wiki
    """
    from darkpeak import output
    from darkpeak.actions.check_ldap import check_ldap
    from darkpeak.members.ldap_settings import Setting
    from darkpeak.members.ldap_settings import Settings as Ldap
    from darkpeak.result import Verdict

    collective = settings.collective()
    there, slapd = settings.target(collective, name), settings.target(collective, DIRECTORY)
    options = {("filter" if key == "filter_" else key): value for key, value in given.items()}
    wanted = Ldap(**{key: Setting(value, f"--{key.replace('_', '-')}") for key, value in options.items() if value})
    checks = check_ldap(there, slapd, wanted, container, uid)
    output.show_rows(
        checks, ("container", "check", "verdict", "what", "hint"), VERDICTS, as_json=settings.as_json, key=2
    )
    sys.exit(1 if any(item.verdict is Verdict.BAD for item in checks) else 0)


directory.add_command(check)

COMMANDS = (directory,)
