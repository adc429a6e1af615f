"""Commands about a service's life: test, shell, remove."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, YES, Settings, command
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective
    from darkpeak.deploy.target import Target
    from darkpeak.life.remove import Remains
    from darkpeak.plan.trial import Trial

COLOURS = {"ok": "green", "failed": "red", "skipped": "dim"}
COMMAND = "darkpeak.command"


@command("test")
@click.argument("names", metavar="SERVICE…", nargs=-1, required=True)
def test(settings: Settings, names: tuple[str, ...]) -> None:
    """Test the whole life of services, beside the live ones.

    In a scratch project, it builds the service without the cache, starts it, asks its routes, looks for outdated
    packages, has scripts/sample write something, backs up, destroys all data, restores, verifies, upgrades, and stops
    it. The live service is not touched, and nothing is left behind. What it depends on must be deployed. Backups wait
    until the test has ended. Exits 1 if a step fails.

    \b
    Example: darkpeak test wiki
    """
    from darkpeak import output
    from darkpeak.trial.run import try_service

    targets = settings.targets(settings.collective(), names)
    with settings.progress() as progress:
        trials = settings.each(
            targets, lambda target: (try_service(target, service, progress) for service in target.services)
        )
    if settings.as_json:
        output.show_json(trials)
    else:
        for trial in trials:
            _show(trial)
    sys.exit(CheckFailed.exit_code if any(trial.failures for trial in trials) else 0)


def _show(trial: "Trial") -> None:
    from darkpeak import output

    output.show_lines([f"{trial.service}:"])
    output.show_rows(trial.steps, ("step", "result", "seconds", "message"), COLOURS, as_json=False)
    for step in trial.failures:
        output.show_lines([f"{step.step}:", *(f"  {line}" for line in step.log)] if step.log else [])


class WithCommand(click.Command):
    """A command whose arguments after `--` are a command for a container."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what follows `--`, and parse what is before it."""
        own, rest = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        ctx.meta[COMMAND] = rest
        return super().parse_args(ctx, own)


@command("shell", cls=WithCommand, options_metavar="[OPTIONS]")
@SERVICE
@click.argument("container", metavar="[CONTAINER] [-- COMMAND…]", required=False)
def shell(settings: Settings, name: str, container: str | None) -> None:
    """Open a shell in a container of a service.

    It is bash, or sh if there is no bash. With a command after --, it runs this instead. The exit code is that of the
    shell or the command.

    \b
    Example: darkpeak shell wiki
    Example: darkpeak shell chat database -- df -h
    """
    from darkpeak import output
    from darkpeak.actions import shell as actions

    wanted: list[str] = click.get_current_context().meta[COMMAND]
    if settings.as_json and not wanted:
        raise UsageError("--json needs a command", hint=f"for example: darkpeak shell {name} --json -- df -h")
    target = settings.target(settings.collective(), name)
    found = actions.find_container(target, container)
    if settings.as_json:
        ran = actions.run_command(target.engine, found, wanted)
        output.show_json({"container": found.name, "code": ran.code, "stdout": ran.stdout, "stderr": ran.stderr})
        sys.exit(ran.code)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    sys.exit(actions.open_shell(target.engine, found, wanted, terminal=terminal))


@command("remove")
@SERVICE
@click.option("--snapshots", is_flag=True, help="Delete its snapshots too, in all repositories.")
@IDENTITY
@YES
def remove(settings: Settings, name: str, identities: tuple[Path, ...], **wanted: bool) -> None:
    """Remove a service for good, with its data.

    It removes the service's containers, volumes, networks, images, routes, certificates, and the records of its
    deploys, backups and drills. It shows first what it will delete, and asks for the service's name. Its folder is in
    git, and you remove it there, before or afterwards. Its snapshots stay, except with --snapshots. A service on which
    others depend is refused.

    Exits 1 if (--snapshots) your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak remove calendar
    """
    from darkpeak import output
    from darkpeak.life import remove as actions

    collective = settings.collective()
    target = _find(settings, collective, name, snapshots=wanted["snapshots"])
    remains = actions.find_remains(target)
    secret = read_key(collective, identities) if wanted["snapshots"] else None
    if not wanted["yes"]:
        _ask(remains, snapshots=wanted["snapshots"])
    with settings.progress() as progress:
        actions.remove(target, remains, progress)
    deleted: tuple[str, ...] = ()
    if secret:
        with session(settings, target, secret) as work:
            deleted = actions.remove_snapshots(work, name)
    if settings.as_json:
        output.show_json({"removed": remains, "snapshots": deleted})
        return
    output.show_lines([f"{name}: removed, with its data" if remains else f"{name}: the engine has nothing of it"])
    gone = f"deleted: {', '.join(deleted) or 'none'}" if secret else f"kept: darkpeak snapshots {name}"
    output.show_lines([f"its snapshots are {gone}"])
    if target.service.folder.exists():
        output.show_lines([f"its folder is in git; remove it too: git rm -r services/{name}"])


def _find(settings: Settings, collective: "Collective", name: str, *, snapshots: bool) -> "Target":
    """Return the engine with a service; one whose folder is gone already is found by its name.

    Raises:
        UsageError: when there is no such service.
    """
    from darkpeak.life import remove as actions

    gone = actions.gone_service(collective, name)
    if gone is None:
        return settings.target(collective, name)
    targets = sorted(settings.targets(collective), key=lambda target: bool(target.engine.failure))  # the living first
    found = actions.find_gone(targets, gone)
    if found is None and not snapshots:
        return settings.target(collective, name)
    return found or targets[0].only(gone)


def _ask(remains: "Remains", *, snapshots: bool) -> None:
    """Show what will be deleted, and ask for the service's name.

    Raises:
        UsageError: when the answer is another one.
    """
    from darkpeak import output

    output.note(f"This deletes, of {remains.service}{f' on {remains.host}' if remains.host else ''}:")
    for line in remains.lines():
        output.note(f"  {line}")
    output.note("  all its snapshots, in all repositories" if snapshots else "Its snapshots stay.")
    if output.ask_for("To delete this for good, type the service's name") != remains.service:
        raise UsageError("nothing was removed", hint="type its name, or give --yes")


COMMANDS = (test, shell, remove)
