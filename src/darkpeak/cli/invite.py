"""The command member invite, and what it shows."""

from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.vocabulary import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from darkpeak.result import Result


@command("invite")
@click.argument("name", metavar="UID|MAIL")
def invite(settings: Settings, name: str) -> None:
    """Print a link with which a member sets a password.

    For a new member, and for one who forgot the password. Send it by a way that only the member reads: it works for
    whoever opens it first. It is good for one new password and two days; links for this member that were made before
    end. The service `account` makes it (darkpeak add account).

    \b
    Example: darkpeak member invite ada
    """
    show_invitation(settings, login_page(settings), name)


def login_page(settings: Settings) -> "Callable[[Sequence[str]], Result]":
    """Return a function that runs a program in the container of the login page."""
    from darkpeak.actions.invite import find_login_page

    collective = settings.collective()
    known = {service.name for service in collective.services}
    return find_login_page(settings.target(collective, *(known & {ACCOUNT})))


def show_invitation(settings: Settings, run: "Callable[[Sequence[str]], Result]", name: str) -> None:
    """Make a link for a member, and show it."""
    from datetime import datetime

    from darkpeak import output
    from darkpeak.actions.invite import invite as make_invitation

    made = make_invitation(run, name)
    if settings.as_json:
        output.show_json(made)
    else:
        until = datetime.fromisoformat(made.until).astimezone()
        output.show_lines([made.url])
        output.note(f"for {made.uid}, once, until {until:%Y-%m-%d %H:%M}; send it to nobody else")
