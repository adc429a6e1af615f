"""What all commands share: their options, and the collective and the engines that the options name."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from darkpeak.cli.complete import add_completion
from darkpeak.errors import DarkpeakError, HostFailure, HostsFailed, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from darkpeak.collective.model import Collective
    from darkpeak.collective.settings import Host
    from darkpeak.deploy.check import Checked
    from darkpeak.deploy.target import Target
    from darkpeak.engine.engine import Engine
    from darkpeak.output import ProgressTable


R = TypeVar("R")
HOST_HELP = "A name under [hosts], or the URI of a daemon (default: DOCKER_HOST, or the docker context)."
SERVICES = click.argument("names", metavar="[SERVICE…]", nargs=-1)
SERVICE = click.argument("name", metavar="SERVICE")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@dataclass(frozen=True)
class Settings:
    """The options that all commands take, before or after the command's name."""

    host: str | None = None
    folder: str | None = None
    as_json: bool = False
    verbosity: int = 0
    failures: dict[str, HostFailure] = field(default_factory=dict, compare=False)  # hosts, while the command runs

    @property
    def start(self) -> "Path":
        """The folder in which the search for collective.toml begins; it goes on upwards."""
        from pathlib import Path

        return Path(self.folder).absolute() if self.folder else Path.cwd()

    def checked(self) -> "Checked":
        """Return the collective's files and everything that is wrong with them."""
        from darkpeak.deploy.check import check_files

        return check_files(self.start)

    def collective(self) -> "Collective":
        """Return the collective.

        Raises:
            UsageError: when there is no collective.
        """
        from darkpeak import collective as files
        from darkpeak import output
        from darkpeak.deploy.target import on_host

        checked = self.checked()
        if checked.faults:  # advice is for `lint` only
            found = files.count(len(checked.faults), "finding")
            output.note(f"note: the files have {found}; for details: darkpeak lint")
        return on_host(checked.collective, self.host)

    def deployable(self, names: tuple[str, ...] = ()) -> "Collective":
        """Return the collective with its faults, for commands that deploy the named services, or all.

        Raises:
            UsageError: when there is no collective, or when a fault concerns it all or one of the named services.
        """
        from darkpeak import collective as files
        from darkpeak import output
        from darkpeak.deploy.check import deployable
        from darkpeak.deploy.target import on_host

        found = deployable(self.checked(), names)
        if found.faults:
            faults = files.count(len(found.faults), "finding")
            output.note(f"note: not touched, because of {faults} in their files: {', '.join(sorted(found.unsound))}")
        return on_host(found, self.host)

    def collective_here(self) -> "Collective | None":
        """Return the collective, or None when this folder is not in one."""
        from darkpeak.collective import find_root

        try:
            find_root(self.start)
        except UsageError:
            if self.folder:
                raise
            return None
        return self.collective()

    def hosts(self) -> "tuple[Host, ...]":
        """Return the hosts of the collective; none when there is no collective."""
        from darkpeak.collective import find_root, read

        try:
            return read(find_root(self.start))[0].hosts
        except UsageError:
            if self.folder:
                raise
            return ()

    def engine(self) -> "Engine":
        """Return the engine that --host, DOCKER_HOST or the docker context names, without connecting."""
        from darkpeak.engine.engine import Engine

        return Engine(self._uri(self.hosts()))

    def targets(self, collective: "Collective", names: tuple[str, ...] = ()) -> "list[Target]":
        """Return the engines on which the named services run, or all services; with --host, only that engine.

        Several are connected to side by side. Each use of one that does not answer fails at once, and at its end the
        command exits 3, with a line about that host.

        Raises:
            UsageError: for a name that no service has, or a --host that is neither a name nor a URI.
        """
        from darkpeak.deploy.hosts import connect
        from darkpeak.deploy.target import find_targets

        found = find_targets(collective, names, self._uri(collective.hosts), os.environ)
        connect(found, self.failures)
        return found

    def each(
        self, targets: "Sequence[Target]", act: "Callable[[Target], Iterable[R]]", *, side_by_side: bool = False
    ) -> "list[R]":
        """Call `act` with each engine, or with all at the same time; return what it yields where it works.

        Of the others, the error at the end of the command tells; a single engine's error is raised.
        """
        from darkpeak.deploy.hosts import each

        return each(targets, act, self.failures, side_by_side=side_by_side)

    def own_targets(self, collective: "Collective", names: tuple[str, ...], *, deploys: bool = False) -> "list[Target]":
        """Return the same engines, for commands that change them: if they are several, none is another collective's.

        Raises:
            UsageError: as `targets`, or when an engine belongs to another collective; nothing was touched.
        """
        from darkpeak.evidence.ownership import require_all_ours

        found = self.targets(collective, names)
        if len(found) > 1:  # actions check a single one themselves
            require_all_ours(((item.collective, item.engine) for item in found), deploys=deploys)
        return found

    def target(self, collective: "Collective", *names: str) -> "Target":
        """Return the engine on which the named services run, or all; if they run on several, the first that answers.

        Then one engine is enough, so those that do not answer are not failures of the command.
        """
        found = replace(self, failures={}).targets(collective, names)
        return next((target for target in found if not target.engine.failure), found[0])

    def progress(self) -> "ProgressTable":
        """Return what shows the progress of a command."""
        from darkpeak.output import ProgressTable

        return ProgressTable(quiet=self.as_json, verbose=bool(self.verbosity))

    def _uri(self, hosts: "tuple[Host, ...]") -> str | None:
        from darkpeak.collective.hosts import uri_of

        return uri_of(hosts, self.host) if self.host else None


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a command; the function gets the shared options as `settings`."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        def with_settings(*arguments: Any, **values: Any) -> Any:
            from darkpeak import trace

            outer: Settings = click.get_current_context().find_object(Settings) or Settings()
            host, folder, as_json = (values.pop(option) for option in ("host", "folder", "as_json"))
            verbosity = max(values.pop("verbosity"), outer.verbosity)
            trace.start(verbosity, sys.argv[1:])
            own = Settings(host or outer.host, folder or outer.folder, as_json or outer.as_json, verbosity)
            return _finish(own.failures, lambda: function(own, *arguments, **values))

        make: Callable[[Callable[..., Any]], click.Command] = click.command(name, **attributes)
        made = make(update_wrapper(with_settings, function))
        for parameter in made.params:
            add_completion(parameter)
        made.params += shared_options()
        return made

    return decorate


def _finish(failures: dict[str, HostFailure], run: Callable[[], Any]) -> Any:
    """Run a command; if hosts failed, it ends with an error that names them, whatever it found on the others."""
    from darkpeak import output

    output.watch_failures(failures)
    before: DarkpeakError | None = None
    try:
        value = run()
    except SystemExit:
        if not failures:
            raise
    except (UsageError, HostsFailed):
        raise
    except DarkpeakError as error:
        if not failures:
            raise
        before = error
    else:
        if not failures:
            return value
    raise HostsFailed(list(failures.values()), before) from before


def shared_options() -> list[click.Parameter]:
    """Return the options that all commands take."""
    host = click.Option(["--host"], metavar="HOST", help=HOST_HELP)
    add_completion(host)
    return [
        host,
        click.Option(
            ["--collective", "folder"],
            metavar="FOLDER",
            type=click.Path(),
            help="The collective's folder (default: here or above).",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON."),
        click.Option(
            ["-v", "--verbose", "verbosity"], count=True, help="Show the programs that are run; -vv shows more."
        ),
    ]
