"""The command that runs each night, and has itself run each night."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.backups import IDENTITY, read_key, session
from darkpeak.cli.common import Settings, command
from darkpeak.errors import CheckFailed, DarkpeakError, UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective
    from darkpeak.schedule.install import Written
    from darkpeak.schedule.timer import Call

USUAL_TIME = "03:17"


@command("nightly")
@click.option(
    "--install", is_flag=True, help="Have this machine run it each night, by systemd or cron; run nothing now."
)
@click.option("--uninstall", is_flag=True, help="Take that back.")
@click.option("--at", metavar="HH:MM", help=f"With --install: when (else {USUAL_TIME}).")
@click.option("--with", "keeper", type=click.Choice(["systemd", "cron"]), help="With --install: else what runs here.")
@IDENTITY
def nightly(  # noqa: PLR0913 (each is an option)
    settings: Settings,
    identities: tuple[Path, ...],
    at: str | None,
    keeper: str | None,
    *,
    install: bool,
    uninstall: bool,
) -> None:
    """Back up all, drill one service in turn, read a share back, prune, ask for updates; 1 when a person must look.

    One line a service. Whoever `darkpeak key secret notify urls` names is told once when something breaks, and once
    when it is well again; the address of `key secret notify ping` is asked for after each good night.

    --install writes a systemd timer, or a line of your crontab where there is no systemd, on the server or on any
    admin's machine that is on at night, and shows it: root's for the machine, else your own. --identity, --host and
    DOCKER_HOST are kept in it as they are now. Run again, it changes nothing.

    \b
    Example: darkpeak nightly --install --identity /root/.ssh/id_ed25519
    """
    if install and uninstall:
        raise UsageError("--install and --uninstall exclude each other", hint="give one of them")
    if (at or keeper) and not install:
        raise UsageError("--at and --with go with --install", hint="darkpeak nightly --install --at 03:17")
    collective = settings.collective()
    if install:
        _install(settings, _call(settings, collective, identities, at or USUAL_TIME), keeper)
    elif uninstall:
        _uninstall(settings, collective)
    else:
        _run(settings, collective, identities)


def _run(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.night import Line, run_night
    from darkpeak.schedule.notices import tell

    secret = read_key(collective, identities)
    lines: list[Line] = []
    for group in settings.groups(collective):
        try:
            with session(settings, group, secret) as work:
                lines += run_night(work, group.services)
        except DarkpeakError as error:  # that nothing at all was saved must be told as well
            lines.append(Line(group.host or "backups", good=False, said=error.message))
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(f"{'ok  ' if line.good else 'LOOK'} {line.about}: {line.said}" for line in lines)
    told = tell([group.engine for group in settings.groups(collective)], collective.name, secret, lines)
    if told:
        output.note(f"told: {told}")
    bad = [line.about for line in lines if not line.good]
    if bad:
        raise CheckFailed(f"somebody must look after: {', '.join(bad)}", hint="the lines above say why")


def _install(settings: Settings, call: "Call", keeper: str | None) -> None:
    from darkpeak import output
    from darkpeak.schedule import install

    done = install.install(call, keeper or install.find_keeper())
    _show(settings, done)
    if install.sleeps_when_logged_out():
        output.note("now: loginctl enable-linger, or systemd ends it with your last login")


def _uninstall(settings: Settings, collective: "Collective") -> None:
    from darkpeak.schedule import install
    from darkpeak.schedule.timer import make_name

    _show(settings, install.uninstall(make_name(collective.name)))


def _show(settings: Settings, done: "list[Written]") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
        return
    for item in done:
        state = ("written" if item.text else "gone") if item.changed else "as it was"
        output.show_lines([f"{item.where}: {state}", *(f"    {line}" for line in item.text.splitlines())])
    if not done:
        output.note("nothing was installed here")


def _call(settings: Settings, collective: "Collective", identities: tuple[Path, ...], at: str) -> "Call":
    """Return the command as it must be typed at night, when nobody types a passphrase."""
    from darkpeak.repository import key
    from darkpeak.schedule.timer import Call, kept, parse_time

    hour, minute = parse_time(at)
    own = tuple(file.absolute() for file in identities)
    if collective.backup.repositories:
        key.read(collective, own, _nobody)
    host = ("--host", settings.host) if settings.host else ()
    named = (word for file in own for word in ("--identity", str(file)))
    argv = (*_program(), "nightly", *host, *named)
    return Call(collective.name, argv, collective.root, kept(os.environ), hour, minute)


def _nobody(file: Path) -> str:
    raise UsageError(
        f"{file} has a passphrase, and nobody is there at night to type it",
        hint="make a key of the machine's own, put it under an admin's ssh = […], then darkpeak key add ADMIN",
    )


def _program() -> tuple[str, ...]:
    """Return how we were called, from anywhere."""
    called = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "darkpeak") if called.name == "__main__.py" else (str(called),)


COMMANDS = (nightly,)
