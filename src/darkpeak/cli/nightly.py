"""The command that runs each night, and installs itself to run each night."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.key import IDENTITY, read_key
from darkpeak.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.collective.model import Collective
    from darkpeak.schedule.install import Installed
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
    """Run the nightly jobs; exits 1 if anything needs attention.

    They back up every service, test one restore, verify part of each repository, prune, and check for updates. Each
    service gets one line. The addresses of `darkpeak key secret notify urls` get a message once when something
    breaks, and once when it is well again; the address of `key secret notify ping` is requested after each good night.

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
        _install(settings, _make_call(settings, collective, identities, at or USUAL_TIME), keeper)
    elif uninstall:
        _uninstall(settings, collective)
    else:
        _run(settings, collective, identities)


def _run(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.keys import NOTIFY, PING, URLS
    from darkpeak.actions.night import run_nights
    from darkpeak.schedule.notices import tell

    secret = read_key(collective, identities)
    targets = settings.targets(collective)
    with settings.progress() as progress:
        lines = run_nights(targets, secret, progress)
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(f"{'ok  ' if line.good else 'LOOK'} {line.about}: {line.message}" for line in lines)
    own = secret.credentials.get(NOTIFY, {})
    engines = [target.engine for target in targets]
    told = tell(engines, collective.name, own.get(URLS, ""), own.get(PING, ""), lines)
    if told:
        output.note(f"notice sent: {told}")
    bad = [line.about for line in lines if not line.good]
    if bad:
        raise CheckFailed(f"needs attention: {', '.join(bad)}", hint="see above for the reasons")


def _install(settings: Settings, call: "Call", keeper: str | None) -> None:
    from darkpeak import output
    from darkpeak.schedule import install

    _show(settings, install.install(call, keeper or install.find_keeper()))
    if install.sleeps_when_logged_out():
        output.note("now: loginctl enable-linger; else systemd stops it when you log out")


def _uninstall(settings: Settings, collective: "Collective") -> None:
    from darkpeak.schedule import install
    from darkpeak.schedule.timer import make_name

    _show(settings, install.uninstall(make_name(collective.name)))


def _show(settings: Settings, done: "Sequence[Installed]") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
        return
    for item in done:
        state = ("written" if item.text else "removed") if item.changed else "unchanged"
        output.show_lines([f"{item.where}: {state}", *(f"    {line}" for line in item.text.splitlines())])
    if not done:
        output.note("nothing was installed here")


def _make_call(settings: Settings, collective: "Collective", identities: tuple[Path, ...], at: str) -> "Call":
    """Return the command as it must be typed at night, when nobody can type a passphrase."""
    from darkpeak.repository import key
    from darkpeak.schedule.timer import Call, kept, parse_time

    hour, minute = parse_time(at)
    own = tuple(file.absolute() for file in identities)
    if collective.backup.repositories:
        key.read(collective, own, _refuse_passphrase)
    host = ("--host", settings.host) if settings.host else ()
    named = (word for file in own for word in ("--identity", str(file)))
    argv = (*_program(), "nightly", *host, *named)
    return Call(collective.name, argv, collective.root, kept(os.environ), hour, minute)


def _refuse_passphrase(file: Path) -> str:
    raise UsageError(
        f"{file} has a passphrase, and nobody can type it at night",
        hint="make a key of the machine's own, put it under an admin's ssh = […], then darkpeak key add ADMIN",
    )


def _program() -> tuple[str, ...]:
    """Return how we were called, from anywhere."""
    called = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "darkpeak") if called.name == "__main__.py" else (str(called),)


COMMANDS = (nightly,)
