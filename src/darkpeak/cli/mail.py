"""Commands about the mails that services send: mail list, show, check."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.vocabulary import MAIL

if TYPE_CHECKING:
    from darkpeak.actions.mail import MailService

VERDICTS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.group("mail")
def mail() -> None:
    """See which mails wait, and whether others take them.

    The service `mail` of the catalogue sends the mails of the other services.

    \b
    Example: darkpeak mail list
    """


def _mail_of(settings: Settings) -> "MailService":
    from darkpeak.actions.mail import find_mail

    collective = settings.collective()
    names = [MAIL] if any(service.name == MAIL for service in collective.services) else []
    return find_mail(settings.target(collective, *names))


@command("list")
def list_mails(settings: Settings) -> None:
    """List the mails in the queue, and why they wait.

    Without a relay, all mails stay there; `darkpeak mail show` shows one, for example to follow its link.

    \b
    Example: darkpeak mail list
    """
    from darkpeak import output

    columns = ("id", "since", "sender", "to", "state", "why")
    output.show_rows(_mail_of(settings).queue(), columns, {"hold": "yellow"}, as_json=settings.as_json)


@command("show")
@click.argument("wanted", metavar="ID")
def show(settings: Settings, wanted: str) -> None:
    """Show a mail in the queue, by its id.

    \b
    Example: darkpeak mail show 4TzX1k0Qz2zP7
    """
    from darkpeak import output
    from darkpeak.result import display

    text = _mail_of(settings).show(wanted)
    if settings.as_json:
        output.show_json({"id": wanted, "mail": text})
    else:
        output.show_lines(display(line.expandtabs()) for line in text.splitlines())


@command("check")
@click.option("--server", default="", metavar="ADDRESS", help="Ask this DNS server: 9.9.9.9, or 127.0.0.1#6050")
def check(settings: Settings, server: str) -> None:
    """Check whether other servers will take the mails.

    They ask DNS whether a mail is from the collective: SPF (which servers send), DKIM (the key of the signatures),
    DMARC (what to do with forged mails), and the server's reverse name. What is missing is shown as the record to set.

    Exits 1 if a check is bad.

    \b
    Example: darkpeak mail check
    """
    from darkpeak import output
    from darkpeak.result import Verdict

    checks = _mail_of(settings).check(server)
    if settings.as_json:
        output.show_json(checks)
    else:
        columns = ("check", "verdict", "what", "hint")
        output.show_table(columns, output.as_rows(checks, columns), VERDICTS, key=2)
        records = [item.record for item in checks if item.record]
        output.show_lines(["", "Records to set:", *records] if records else [])
    sys.exit(1 if any(item.verdict is Verdict.BAD for item in checks) else 0)


for each in (list_mails, show, check):
    mail.add_command(each)

COMMANDS = (mail,)
