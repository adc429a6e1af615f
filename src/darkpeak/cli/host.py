"""Commands about daemons and their machines: tunnel, doctor, host prepare."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import YES, Settings, command
from darkpeak.errors import UsageError
from darkpeak.vocabulary import COLLECTIVE_FILE, TUNNEL_PORT

if TYPE_CHECKING:
    from darkpeak.actions.cluster import Member
    from darkpeak.collective.uri import Uri

VERDICTS = {"ok": "green", "warn": "yellow", "bad": "red"}


@command("tunnel")
@click.argument("where", metavar="HOST")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=TUNNEL_PORT,
    show_default=True,
    help="The port on this machine's loopback.",
)
def tunnel(settings: Settings, where: str, *, port: int) -> None:
    """Forward a port of this machine to a daemon over ssh.

    HOST is a name under [hosts], an ssh:// URI, or what you type after ssh. The tunnel stays open until Ctrl-C; it
    reconnects when the connection is lost. Everyone who can log in to this machine can use the port, and control the
    daemon with it: if that is not only you, use --host ssh://… instead.

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
    """Check each daemon and its machine, and show what to do.

    Exits 1 if a check is bad.

    \b
    Example: darkpeak doctor
    """
    from darkpeak import output
    from darkpeak.actions.doctor import examine
    from darkpeak.result import Verdict

    collective = settings.collective_here()
    if collective:
        checks = settings.each(
            settings.targets(collective),
            lambda target: examine(target.host, target.engine, target.collective),
            side_by_side=True,
        )
    else:  # the daemon of --host or DOCKER_HOST
        checks = list(examine("", settings.engine(), None))
    if settings.as_json:
        output.show_json(checks)
    else:
        columns = ("host", "check", "verdict", "what", "hint")
        shown = columns if any(check.host for check in checks) else columns[1:]
        output.show_table(shown, output.as_rows(checks, shown), VERDICTS, key=len(shown) - 3)
    sys.exit(1 if any(check.verdict is Verdict.BAD for check in checks) else 0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@click.group("host")
def host_group() -> None:
    """Prepare machines for services.

    \b
    Example: darkpeak host prepare ssh://root@server
    """


@command("prepare")
@click.argument("where", metavar="HOST")
@YES
@click.option("--plan", "only_plan", is_flag=True, help="Only show what would be done.")
@click.option(
    "--swap", type=click.IntRange(0), default=1024, show_default=True, help="MiB of swap, if the machine has none."
)
def prepare(settings: Settings, where: str, *, yes: bool, only_plan: bool, swap: int) -> None:
    """Prepare a fresh Debian or Ubuntu server for services.

    It installs the engine, a firewall, security upgrades, swap, and a login for the admins. HOST is a name under
    [hosts], an ssh:// URI, or what you type after ssh; that login must be root, or able to use sudo without a password.
    It shows what it will do, and asks first. Run again, it does only what is missing.

    With --plan, it exits 1 if there is something to do.

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
            output.show_lines([f"{step.what}: {step.cause}" for step in steps] or ["nothing to do: it is prepared"])
            output.show_lines([NO_KEYS] if not wanted.keys else [])
        if only_plan or not steps:
            sys.exit(1 if steps else 0)
        if not yes and not output.ask(f"Do this on {server.connection.name}?"):
            raise UsageError("nothing was done", hint="answer y, or give --yes")
        for step in steps:
            output.note(f"{step.what} …")
            server.make(step)
    finally:
        server.close()


@command("join")
@click.argument("where", metavar="HOST")
@click.option("--to", "name", required=True, metavar="NAME", help="The manager, a name under [hosts].")
def join(settings: Settings, where: str, name: str) -> None:
    """Take a machine into the swarm of a host.

    HOST is the URI of its daemon. With the URI or the name of the manager itself, that begins a swarm. Run again for a
    node that was off, it sends the images that it lacks. The node is written into collective.toml: commit that.

    \b
    Example: darkpeak host join ssh://root@second --to cluster
    """
    from darkpeak.actions.cluster import find_cluster
    from darkpeak.actions.cluster import join as join_swarm

    collective = settings.collective()
    with settings.progress() as progress:
        done = join_swarm(collective, find_cluster(collective, name), where, lambda step: progress.step("swarm", step))
    _show_member(settings, done)


@command("leave")
@click.argument("where", metavar="HOST")
def leave(settings: Settings, where: str) -> None:
    """Let a machine leave the swarm of its host.

    HOST is the URI of its daemon, as in nodes of collective.toml. Its tasks move to the other nodes first. One that is
    off is only struck off the list.

    \b
    Example: darkpeak host leave ssh://root@second
    """
    from darkpeak.actions.cluster import leave as leave_swarm

    collective = settings.collective()
    with settings.progress() as progress:
        done = leave_swarm(collective, where, lambda step: progress.step("swarm", step))
    _show_member(settings, done)


def _show_member(settings: Settings, done: "Member") -> None:
    from darkpeak import output

    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines([f"{done.node}: {done.done} ({done.host})"])
        output.show_lines([f"wrote {COLLECTIVE_FILE}: commit this to git"] if done.written else [])


def _target(settings: Settings, where: str) -> "Uri":
    """Return the URI for an ssh connection, from a name under [hosts] or from what was typed."""
    from darkpeak.collective.hosts import find_host
    from darkpeak.engine.tunnel import find_target

    host = find_host(settings.hosts(), where)
    return find_target(host.docker if host else where)


for one in (prepare, join, leave):
    host_group.add_command(one)

COMMANDS = (tunnel, doctor, host_group)
