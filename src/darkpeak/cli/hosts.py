"""Commands about daemons: tunnel, doctor."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkpeak.collective import Collective
    from darkpeak.daemon.engine import Engine

PORT = 4243  # the guide's
VERDICTS = {"ok": "green", "warn": "yellow", "bad": "red"}


@command("tunnel")
@click.argument("where", metavar="HOST")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Port of this machine's loopback."
)
def tunnel(settings: Settings, where: str, *, port: int) -> None:
    """Lead a port of this machine to a daemon, by ssh, until Ctrl-C; it is opened again after a cut.

    HOST is a name of [hosts], an ssh:// URI, or what you would type after ssh. Whoever has a login on this machine
    can use the port, and drive that daemon with it: where that is not only you, use --host ssh://… instead.

    \b
    Example: darkpeak tunnel server
    """
    from darkpeak import output
    from darkpeak.collective.hosts import find_host
    from darkpeak.daemon.tunnel import find_target, keep_open

    host = find_host(settings.hosts(), where)
    uri = find_target(host.docker if host else where)
    address = f"tcp://localhost:{port}"

    def opened() -> None:
        if settings.as_json:
            output.show_json({"docker_host": address, "leads_to": uri.login})
        else:
            output.show_lines([f"export DOCKER_HOST={address}"])
            output.note(f"the tunnel to {uri.login} is open; Ctrl-C closes it")

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        keep_open(uri, port, opened, output.note)
    except KeyboardInterrupt:
        output.note("the tunnel is closed")
        sys.exit(0)


@command("doctor")
def doctor(settings: Settings) -> None:
    """Look at each daemon that has services, and say what it lacks and what to do; 1 when something is bad.

    \b
    Example: darkpeak doctor
    """
    from darkpeak import output
    from darkpeak.daemon.facts import gather
    from darkpeak.plan.doctor import Verdict, evaluate

    checks = [
        replace(check, host=name)
        for name, there, engine in _looked_at(settings)
        for check in evaluate(gather(engine, there), there)
    ]
    if settings.as_json:
        output.show_json(checks)
    else:
        columns = ("host", "check", "verdict", "what", "mend")
        shown = columns if any(check.host for check in checks) else columns[1:]
        output.show_table(shown, output.as_rows(checks, shown), VERDICTS)
    sys.exit(1 if any(check.verdict is Verdict.BAD for check in checks) else 0)


def _looked_at(settings: Settings) -> "Iterator[tuple[str, Collective | None, Engine]]":
    """Give each daemon with services; outside a collective, the one that is pointed at."""
    from darkpeak.collective import find_root

    try:
        find_root(Path(settings.folder or ".").absolute())
    except BadInput:
        if settings.folder:
            raise
        yield "", None, settings.engine()
        return
    for name, there, engine, _ in settings.daemons(settings.collective()):
        yield name, there, engine


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


COMMANDS = (tunnel, doctor)
