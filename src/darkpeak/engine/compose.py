"""Run `docker compose`: build, start, stop, logs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from darkpeak import process
from darkpeak.collective import scripts
from darkpeak.collective.model import Container, Service
from darkpeak.engine.engine import Engine
from darkpeak.engine.stacked import call, make_logs
from darkpeak.result import Result
from darkpeak.vocabulary import CONTENT_LABEL, PARTS_LABEL

MOST_PARTS = 200
PRIVATE = 0o077  # the umask of scripts: nobody else may read what they write
# Variables of the shell with which plain compose would take other files, names or containers than the files say.
QUIET = {"COMPOSE_PROFILES": "", "COMPOSE_FILE": "", "COMPOSE_PROJECT_NAME": "", "COMPOSE_ENV_FILES": ""}
ERASE_LINE = "\x1b[2K"  # compose 2.26 begins each line of a log with it, also without a terminal


def make_compose(service: Service, *arguments: str, overlay: bool = False) -> tuple[str, ...]:
    """Return the compose command for a service; with `overlay`, compose also reads a file from standard input."""
    files = (*(str(service.folder / name) for name in service.files), *(("-",) if overlay else ()))
    return (
        *("docker", "compose", "--ansi", "never", "--project-directory", str(service.folder)),
        *(word for file in files for word in ("--file", file)),
        *arguments,
    )


def make_overlay(service: Service) -> bytes:
    """Return a second compose file, which labels each image with the hash of the files that it was built from.

    The label is on the image, from which containers inherit it, and not in the container's configuration: so plain
    `docker compose up` sees no difference.
    """
    labelled = {
        container.name: {"build": {"labels": make_labels(container)}}
        for container in service.containers
        if container.build
    }
    return json.dumps({"services": labelled}).encode()


def make_labels(container: Container) -> dict[str, str]:
    """Return the labels of a container's image: the hash of its files, and of each single file if they are not many."""
    parts = dict(container.parts) if len(container.parts) <= MOST_PARTS else {}
    # Compose reads $ as the beginning of a variable, also in file names.
    return {CONTENT_LABEL: container.content, PARTS_LABEL: json.dumps(parts, separators=(",", ":")).replace("$", "$$")}


@dataclass(frozen=True)
class Compose:
    """Compose on one engine, with the values of the variables that compose files may use."""

    engine: Engine
    variables: Mapping[str, str]
    locks: tuple[
        int, ...
    ] = ()  # file descriptors that compose keeps open, so that it holds the locks even if we are killed

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment variables for compose and the services' scripts; the first use connects to the engine."""
        return {**self.engine.environment, **self.variables, **QUIET}

    def holding(self, *locks: int) -> "Compose":
        """Return the same, which holds these locks too while compose runs."""
        return replace(self, locks=(*self.locks, *locks))

    def build(
        self, service: Service, containers: tuple[str, ...], on_line: Callable[[str], None], *, fresh: bool = False
    ) -> Result:
        """Build images, without the cache if `fresh`; `on_line` gets each line that compose prints."""
        return self._stream(service, on_line, "build", *(("--no-cache",) if fresh else ()), *containers)

    def start(self, service: Service, on_line: Callable[[str], None], seconds: float, *arguments: str) -> Result:
        """Start containers from existing images; those that others wait for are waited for (`depends_on`).

        Raises:
            TookTooLong: when that takes longer than `seconds`.
        """
        return self._stream(service, on_line, "up", "--detach", "--no-build", *arguments, seconds=seconds)

    def create(self, service: Service, on_line: Callable[[str], None], seconds: float, *arguments: str) -> Result:
        """Create containers, and those that they need, from existing images; start none.

        Raises:
            TookTooLong: when that takes longer than `seconds`.
        """
        return self._stream(service, on_line, "create", "--no-build", *arguments, seconds=seconds)

    def call(self, service: Service, *arguments: str) -> Result:
        """Run one compose command to its end; return its result."""
        stacked = service.stacked or (self.engine.swarm and arguments[0] == "down")
        done = call(self.engine, service, arguments) if stacked else None
        if done:
            return done
        argv = make_compose(service, *arguments)
        return process.run(argv, environment=self.environment, seconds=process.LONG_SECONDS)

    def attach(self, service: Service, *arguments: str) -> int:
        """Run one compose command on the caller's terminal; return its exit code."""
        return process.attach(make_compose(service, *arguments), environment=self.environment)

    def logs(self, service: Service, on_line: Callable[[str], None], *arguments: str) -> int:
        """Give each line of a service's logs to `on_line`, without what compose writes for a terminal."""
        if service.stacked:
            each = make_logs(service, arguments)
            return max(process.attach(argv, on_line, environment=self.environment) for argv in each)
        argv = make_compose(service, "logs", "--no-color", *arguments)
        return process.attach(argv, lambda line: on_line(line.removeprefix(ERASE_LINE)), environment=self.environment)

    def script(
        self,
        service: Service,
        name: str,
        *arguments: str,
        seconds: float = process.SCRIPT_SECONDS,
        stdin: bytes = b"",
    ) -> Result:
        """Run one of the service's own scripts on this machine, against this engine.

        Files and folders that it makes are for their owner only: backups contain secrets.

        Raises:
            BadScript: when it cannot be started, or does not end in time.
        """
        path = scripts.startable(service, name)
        # Not empty but absent: without --file, compose would take an empty COMPOSE_FILE for the name of a file.
        environment = {key: value for key, value in self.environment.items() if key not in QUIET}
        try:
            return process.run(
                (str(path), *arguments), environment=environment, seconds=seconds, stdin=stdin, umask=PRIVATE
            )
        except process.TookTooLong as error:
            raise scripts.too_slow(service, name, seconds) from error

    def back_up(self, service: Service, folder: Path) -> Result:
        """Run a service's own backup script; one that wrote nothing has failed, whatever it says.

        Raises:
            BadScript: as `script`.
        """
        ran = self.script(service, "backup", str(folder))
        if ran.code or (folder.is_dir() and any(folder.iterdir())):
            return ran
        return Result(1, ran.stdout, b"scripts/backup reported success, but wrote nothing")

    def _stream(
        self,
        service: Service,
        on_line: Callable[[str], None],
        *arguments: str,
        seconds: float = process.LONG_SECONDS,
    ) -> Result:
        argv = make_compose(service, *arguments, overlay=True)
        return process.stream(
            argv,
            on_line,
            environment=self.environment,
            stdin=make_overlay(service),
            seconds=seconds,
            pass_fds=self.locks,
        )
