"""What every command shares: its options, the collective and the engine that they name."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Collective, Host, Service
    from darkpeak.engine.compose import Compose
    from darkpeak.engine.engine import Engine


HOST_HELP = "A name of [hosts], or a daemon's URI (else DOCKER_HOST, else the docker context)."


@dataclass(frozen=True)
class Group:
    """Services on one engine, with the collective as it is there."""

    host: str  # its name in [hosts], empty for the engine that --host, DOCKER_HOST or the docker context names
    collective: "Collective"
    compose: "Compose"
    services: "tuple[Service, ...]"

    @property
    def engine(self) -> "Engine":
        """The engine."""
        return self.compose.engine


@dataclass(frozen=True)
class Settings:
    """The options that every command takes, before or after its name."""

    host: str | None = None
    folder: str | None = None
    as_json: bool = False

    def collective(self, *, sound: bool = False) -> "Collective":
        """Read the collective; with `sound`, refuse one with findings before anything is touched.

        Raises:
            UsageError: when there is no collective, or it must be sound and is not.
        """
        from darkpeak import collective as files
        from darkpeak import output

        found, findings = self.findings()
        if findings and sound:
            shown = "\n".join(f"  {item.at}: {item.what}. {item.hint[:1].upper()}{item.hint[1:]}." for item in findings)
            raise UsageError(f"the files have {files.count(len(findings), 'finding')}; nothing was touched\n{shown}")
        if findings:
            output.note(f"note: the files have {files.count(len(findings), 'finding')}: darkpeak lint shows them")
        return self._as_on(found, self.host)

    def findings(self) -> "tuple[Collective, list[Any]]":
        """Read the collective and everything that is wrong with it."""
        from darkpeak import collective as files
        from darkpeak import lint

        start = Path(self.folder).absolute() if self.folder else Path.cwd()
        found, unreadable = files.read(files.find_root(start))
        return found, sorted({*unreadable, *lint.check(found)})

    def hosts(self) -> "tuple[Host, ...]":
        """Return the hosts of the collective, none where there is no collective."""
        from darkpeak import collective as files

        start = Path(self.folder).absolute() if self.folder else Path.cwd()
        try:
            return files.read(files.find_root(start))[0].hosts
        except UsageError:
            if self.folder:
                raise
            return ()

    def engine(self) -> "Engine":
        """Return the engine that --host, DOCKER_HOST or the docker context names, not yet asked anything."""
        from darkpeak.collective.hosts import uri_of
        from darkpeak.collective.uri import parse_uri
        from darkpeak.engine.engine import Engine

        named = self.host and parse_uri(self.host) is None
        return Engine(uri_of(self.hosts(), self.host) if named and self.host else self.host)

    def compose(self, collective: "Collective") -> "Compose":
        """Return compose on that engine."""
        from darkpeak.engine.compose import Compose

        return Compose(self.engine(), collective.domain)

    def groups(self, collective: "Collective", names: tuple[str, ...] = ()) -> list[Group]:
        """Return the named services, or all, by the engine on which they live; with --host, they all live there.

        Raises:
            UsageError: for a name that no service has, or a --host that is nobody's.
        """
        from darkpeak.engine.compose import Compose

        return [
            Group(name, there, Compose(engine, there.domain), services)
            for name, there, engine, services in self.daemons(collective, names)
        ]

    def daemons(
        self, collective: "Collective", names: tuple[str, ...] = ()
    ) -> "Iterator[tuple[str, Collective, Engine, tuple[Service, ...]]]":
        """Give the same, with engines that are not yet connected to."""
        from darkpeak.collective.hosts import find_host, place
        from darkpeak.engine.engine import Engine

        services = chosen(collective, names)
        if self.host:
            host = find_host(collective.hosts, self.host)
            here = services if names or not host else [item for item in services if host.takes(item.name)]
            yield host.name if host else "", collective, self.engine(), tuple(here)
            return
        for placed in place(collective, services):
            host = placed.host
            there = self._as_on(collective, host.name if host else os.environ.get("DOCKER_HOST"))
            wanted = {service.name for service in placed.services}
            here = [service for service in there.services if service.name in wanted]
            yield host.name if host else "", there, Engine(host.docker if host else None), tuple(here)

    def group(self, collective: "Collective", name: str) -> Group:
        """Return one service, on the engine on which it lives; on the first of them, if those are several."""
        return self.groups(collective, (name,))[0]

    def _as_on(self, collective: "Collective", wanted: str | None) -> "Collective":
        from darkpeak.collective.hosts import find_host

        host = find_host(collective.hosts, wanted) if wanted else None
        return collective.on(host.name) if host else collective


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command that also takes the options every command takes, and gets them as `settings`."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        def with_settings(*arguments: Any, **values: Any) -> Any:
            outer: Settings = click.get_current_context().find_object(Settings) or Settings()
            host, folder, as_json = (values.pop(option) for option in ("host", "folder", "as_json"))
            own = Settings(host or outer.host, folder or outer.folder, as_json or outer.as_json)
            return function(own, *arguments, **values)

        make: Callable[[Callable[..., Any]], click.Command] = click.command(name, **attributes)
        made = make(update_wrapper(with_settings, function))
        made.params += [
            click.Option(["--host"], metavar="HOST", help=HOST_HELP),
            click.Option(["--collective", "folder"], metavar="FOLDER", help="The collective's folder."),
            click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
        ]
        return made

    return decorate


def chosen(collective: "Collective", names: tuple[str, ...]) -> "list[Service]":
    """Return the named services, or all of them.

    Raises:
        UsageError: for a name that no service has.
    """
    known = {service.name: service for service in collective.services}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no service {name}", hint=f"there are: {', '.join(sorted(known))}")
    return [known[name] for name in names] if names else list(collective.services)


def one(collective: "Collective", name: str) -> "Service":
    """Return one service by name."""
    return chosen(collective, (name,))[0]
