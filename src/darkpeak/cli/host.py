"""Commands about daemons and their machines: tunnel, doctor, host prepare."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError
from darkpeak.vocabulary import TUNNEL_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkpeak.collective import Collective
    from darkpeak.collective.uri import Uri
    from darkpeak.engine.engine import Engine

VERDICTS = {"ok": "green", "warn": "yellow", "bad": "red"}


@command("tunnel")
@click.argument("where", metavar="HOST")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=TUNNEL_PORT,
    show_default=True,
    help="Port of this machine's loopback.",
)
def tunnel(settings: Settings, where: str, *, port: int) -> None:
    """Lead a port of this machine to a daemon, by ssh, until Ctrl-C; it is opened again after a cut.

    HOST is a name of [hosts], an ssh:// URI, or what you would type after ssh. Whoever has a login on this machine
    can use the port, and drive that daemon with it: where that is not only you, use --host ssh://… instead.

    \b
    Example: darkpeak tunnel server
    """
    from darkpeak import output
    from darkpeak.engine.tunnel import keep_open

    uri = _target(settings, where)
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
    from darkpeak.actions.doctor import examine
    from darkpeak.plan.doctor import Verdict

    checks = [check for host, engine, there in _daemons(settings) for check in examine(host, engine, there)]
    if settings.as_json:
        output.show_json(checks)
    else:
        columns = ("host", "check", "verdict", "what", "hint")
        shown = columns if any(check.host for check in checks) else columns[1:]
        output.show_table(shown, output.as_rows(checks, shown), VERDICTS)
    sys.exit(1 if any(check.verdict is Verdict.BAD for check in checks) else 0)


def _daemons(settings: Settings) -> "Iterator[tuple[str, Engine, Collective | None]]":
    """Give each daemon with services; outside a collective, the one that is pointed at."""
    collective = settings.collective_here()
    if collective is None:
        yield "", settings.engine(), None
        return
    for target in settings.targets(collective):
        yield target.host, target.engine, target.collective


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@click.group("host")
def host_group() -> None:
    """Machines for services: prepare.

    \b
    Example: darkpeak host prepare ssh://root@server
    """


@command("prepare")
@click.argument("where", metavar="HOST")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done; 1 when there is anything.")
@click.option(
    "--swap", type=click.IntRange(0), default=1024, show_default=True, help="MiB of swap where there is none."
)
def prepare(settings: Settings, where: str, *, yes: bool, only_plan: bool, swap: int) -> None:
    """Make a fresh Debian server ready for services: engine, firewall, security upgrades, swap, the admins' login.

    HOST is a name of [hosts], an ssh:// URI, or what you would type after ssh; that login is root, or becomes it by
    sudo without a password. It says what it will do, and asks; done again, it does only what is still missing.

    \b
    Example: darkpeak host prepare ssh://root@server
    """
    from darkpeak import output
    from darkpeak.system.base import make_wanted
    from darkpeak.system.plan import NO_KEYS, make_steps
    from darkpeak.system.prepare import Server

    wanted = make_wanted(settings.collective_here(), swap)
    server = Server(_target(settings, where))
    server.open()
    try:
        steps = make_steps(server.look(wanted), wanted)
        if settings.as_json:
            output.show_json({"steps": steps})
        else:
            output.show_lines([f"{step.what}: {step.cause}" for step in steps] or ["nothing to do: all of it is there"])
            output.show_lines([NO_KEYS] if not wanted.keys else [])
        if only_plan or not steps:
            sys.exit(1 if steps else 0)
        if not yes and not output.ask(f"do this on {server.connection.name}?"):
            raise UsageError("nothing was done", hint="--yes does it without asking")
        for step in steps:
            output.note(f"{step.what} …")
            server.make(step)
    finally:
        server.close()


def _target(settings: Settings, where: str) -> "Uri":
    """Return where an ssh connection leads, by a name of [hosts] or as written."""
    from darkpeak.collective.hosts import find_host
    from darkpeak.engine.tunnel import find_target

    host = find_host(settings.hosts(), where)
    return find_target(host.docker if host else where)


host_group.add_command(prepare)

COMMANDS = (tunnel, doctor, host_group)
