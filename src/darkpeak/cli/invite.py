"""The command member invite, and what it shows."""

from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.vocabulary import ACCOUNT

LANGUAGES = ("en", "de", "es", "fr")  # of the login page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from darkpeak.result import Result


@command("invite")
@click.argument("name", metavar="UID|MAIL")
@click.option("--mail", "by_mail", is_flag=True, help="Send it to the member, and do not print it.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the mail.")
def invite(settings: Settings, name: str, language: str, *, by_mail: bool) -> None:
    """Print, or mail, a link with which a member sets a password.

    For a new member, and for one who forgot the password. Send it by a way that only the member reads: it works for
    whoever opens it first. It is good for one new password and two days; links for this member that were made before
    end. The service `account` makes it (darkpeak add account).

    \b
    Example: darkpeak member invite ada
    """
    show_invitation(settings, login_page(settings), name, language if by_mail else "")


def login_page(settings: Settings) -> "Callable[[Sequence[str]], Result]":
    """Return a function that runs a program in the container of the login page."""
    from darkpeak.actions.invite import find_login_page

    collective = settings.collective()
    known = {service.name for service in collective.services}
    return find_login_page(settings.target(collective, *(known & {ACCOUNT})))


def show_invitation(
    settings: Settings, run: "Callable[[Sequence[str]], Result]", name: str, language: str = ""
) -> None:
    """Make a link for a member, and show it, or mail it."""
    from datetime import datetime

    from darkpeak import output
    from darkpeak.actions.invite import invite as make_invitation

    made = make_invitation(run, name, language)
    if settings.as_json:
        output.show_json(made)
    else:
        until = datetime.fromisoformat(made.until).astimezone()
        output.show_lines([f"{made.uid}: mailed to {made.mailed}" if made.mailed else made.url])
        advice = "if it does not arrive: darkpeak mail list" if made.mailed else "send it to nobody else"
        output.note(f"for {made.uid}, once, until {until:%Y-%m-%d %H:%M}; {advice}")
