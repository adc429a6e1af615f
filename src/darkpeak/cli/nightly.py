"""The command `nightly`: run the nightly jobs, and install or uninstall them on this machine."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.key import IDENTITY, read_key
from darkpeak.errors import CheckFailed, SystemFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from darkpeak.collective.model import Collective
    from darkpeak.schedule.install import Installed
    from darkpeak.schedule.timer import Call

DEFAULT_TIME = "03:17"


@command("nightly")
@click.option("--install", is_flag=True, help="Have systemd or cron run it each night; do not run it now.")
@click.option("--uninstall", is_flag=True, help="Undo --install.")
@click.option("--at", metavar="HH:MM", help=f"With --install: the time (default: {DEFAULT_TIME}).")
@click.option(
    "--with", "scheduler", type=click.Choice(["systemd", "cron"]), help="With --install: what runs it (default: found)."
)
@IDENTITY
def nightly(  # noqa: PLR0913 (each is an option)
    settings: Settings,
    identities: tuple[Path, ...],
    at: str | None,
    scheduler: str | None,
    *,
    install: bool,
    uninstall: bool,
) -> None:
    """Run the nightly jobs, or install them.

    The jobs back up every service, test-restore one, read back a part of each repository, prune, check for updates,
    ask each service through the router, and measure the levels. Each service gets one line. The addresses of
    `darkpeak key secret notify urls` get one message when something fails, and one when all is well again. The address
    of `key secret notify ping` is requested when all went well.

    --install writes a systemd timer, or a line of the crontab where there is no systemd, and shows it. It can be on
    the server, or on any admin's machine that is on at night. Run by root it is the machine's timer, otherwise yours.
    It keeps --identity, --host and DOCKER_HOST as they are now. Run again, it changes nothing.

    A host that does not answer has a line too; the jobs run on the others. Exits 1 if anything needs attention, or if
    your ssh key does not open the backup key, and 3 if a host did not answer.

    \b
    Example: darkpeak nightly --install --identity /root/.ssh/id_ed25519
    """
    if install and uninstall:
        raise UsageError("--install and --uninstall exclude each other", hint="give only one of them")
    if (at or scheduler) and not install:
        raise UsageError("--at and --with need --install", hint="for instance: darkpeak nightly --install --at 03:17")
    collective = settings.collective()
    if install:
        _install(settings, _make_call(settings, collective, identities, at or DEFAULT_TIME), scheduler)
    elif uninstall:
        _uninstall(settings, collective)
    else:
        _run(settings, collective, identities)


def _run(settings: Settings, collective: "Collective", identities: tuple[Path, ...]) -> None:
    from darkpeak import output
    from darkpeak.actions.night import BACKUPS, end_night, run_night
    from darkpeak.repository.credentials import NOTIFY, PING, URLS
    from darkpeak.schedule.notices import Line, notify

    secret = read_key(collective, identities)
    targets = settings.targets(collective)
    lines, failed = list["Line"](), ""
    with settings.progress() as progress:
        try:
            lines += settings.each(targets, lambda target: run_night(target, secret, progress))
        except SystemFailure as error:
            failed = error.message
        lines += [Line(host, good=False, message=str(failure)) for host, failure in settings.failures.items()]
        if failed and not settings.failures:  # there is one engine
            lines.append(Line(targets[0].host or BACKUPS, good=False, message=failed))
        lines += end_night(targets)
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(f"{'ok' if line.good else 'ATTENTION':9}  {line.about}: {line.message}" for line in lines)
    own = secret.credentials.get(NOTIFY, {})
    engines = [target.engine for target in targets]
    sent = notify(engines, collective.name, own.get(URLS, ""), own.get(PING, ""), lines)
    if sent:
        output.note(f"notice sent: {sent}")
    bad = [line.about for line in lines if not line.good]
    if bad:
        raise CheckFailed(f"needs attention: {', '.join(bad)}", hint="the lines above show why")


def _install(settings: Settings, call: "Call", scheduler: str | None) -> None:
    from darkpeak import output
    from darkpeak.schedule import install

    _show(settings, install.install(call, scheduler or install.find_scheduler()))
    if install.sleeps_when_logged_out():
        output.note("systemd stops it when you log out; to prevent that: loginctl enable-linger")


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
        output.note("nothing to do: nothing is installed here")


def _make_call(settings: Settings, collective: "Collective", identities: tuple[Path, ...], at: str) -> "Call":
    """Return the command for the night; refuse an ssh key with a passphrase, which nobody can type then."""
    from darkpeak.repository import key
    from darkpeak.schedule.timer import Call, parse_time, pick_environment

    hour, minute = parse_time(at)
    own = tuple(file.absolute() for file in identities)
    if collective.backup.repositories:
        key.read(collective, own, _refuse_passphrase)
    host = ("--host", settings.host) if settings.host else ()
    named = (word for file in own for word in ("--identity", str(file)))
    argv = (*_program(), "nightly", *host, *named)
    return Call(collective.name, argv, collective.root, pick_environment(os.environ), hour, minute)


def _refuse_passphrase(file: Path) -> str:
    raise UsageError(
        f"{file} has a passphrase, which nobody can type at night",
        hint="make a key without one for this machine, add it to an admin's ssh = […], then: darkpeak key add ADMIN",
    )


def _program() -> tuple[str, ...]:
    """Return the words that call this program from any folder."""
    called = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "darkpeak") if called.name == "__main__.py" else (str(called),)


COMMANDS = (nightly,)
