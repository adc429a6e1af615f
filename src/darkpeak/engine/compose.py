"""`docker compose`, for all that it does itself: build, start, stop, logs."""

import json
import subprocess
from collections.abc import Callable
from copy import copy
from pathlib import Path

from darkpeak.collective.model import Container, Service
from darkpeak.engine.engine import CONTENT_LABEL, PARTS_LABEL, Engine, Result, run
from darkpeak.errors import SystemFailure

HEALTHY_SECONDS = 180
MOST_PARTS = 200
DOMAIN_VARIABLE = "DARKPEAK_DOMAIN"


def make_compose(service: Service, *arguments: str, overlay: bool = False) -> tuple[str, ...]:
    """Return the compose command for a service; with `overlay`, one more file is read from standard input."""
    files = (*(str(service.folder / name) for name in service.files), *(("-",) if overlay else ()))
    return (
        *("docker", "compose", "--ansi", "never", "--project-directory", str(service.folder)),
        *(word for file in files for word in ("--file", file)),
        *arguments,
    )


def make_overlay(service: Service) -> bytes:
    """Return the second compose file: each image carries the hash of what it was built from.

    The label goes to the image, from which containers inherit it, so that plain `docker compose up` still sees
    the same containers as we do.
    """
    labelled = {
        container.name: {"build": {"labels": make_labels(container)}}
        for container in service.containers
        if container.build
    }
    return json.dumps({"services": labelled}).encode()


def make_labels(container: Container) -> dict[str, str]:
    """Return what an image says of the files that it was built from; no single hashes where there are very many."""
    parts = dict(container.parts) if len(container.parts) <= MOST_PARTS else {}
    # Compose reads $ as the beginning of a variable, in names of files too.
    return {CONTENT_LABEL: container.content, PARTS_LABEL: json.dumps(parts, separators=(",", ":")).replace("$", "$$")}


class Compose:
    """Compose on one engine, for one collective's domain."""

    def __init__(self, engine: Engine, domain: str) -> None:
        self.engine = engine
        self.locks: tuple[int, ...] = ()
        self.environment = {**engine.environment, DOMAIN_VARIABLE: domain}

    def holding(self, *locks: int) -> "Compose":
        """Return the same, whose tools keep these locks held until they have ended, even if we are killed."""
        other = copy(self)
        other.locks = (*self.locks, *locks)
        return other

    def build(self, service: Service, containers: tuple[str, ...], said: Callable[[str], None]) -> Result:
        """Build the images of some containers; each line that compose says goes to `said`."""
        return self._streamed(make_compose(service, "build", *containers, overlay=True), make_overlay(service), said)

    def start(self, service: Service, said: Callable[[str], None], *arguments: str) -> Result:
        """Start containers of images that are there, and wait until they are healthy."""
        timed = ("up", "--detach", "--no-build", "--wait", "--wait-timeout", str(HEALTHY_SECONDS))
        return self._streamed(make_compose(service, *timed, *arguments, overlay=True), make_overlay(service), said)

    def call(self, service: Service, *arguments: str) -> Result:
        """Run one compose command to its end."""
        return run(make_compose(service, *arguments), self.environment)

    def attached(self, service: Service, *arguments: str) -> int:
        """Run one compose command on the caller's own terminal."""
        return self._attached(make_compose(service, *arguments))

    def script(self, service: Service, name: str, *arguments: str) -> int:
        """Run one of the service's own scripts on the caller's terminal, pointed at this engine."""
        return self._attached((str(service.folder / "scripts" / name), *arguments))

    def script_kept(self, service: Service, name: str, *arguments: str) -> Result:
        """Run one of the service's own scripts and keep what it prints."""
        return run((str(service.folder / "scripts" / name), *arguments), self.environment)

    def _attached(self, argv: tuple[str, ...]) -> int:
        try:
            return subprocess.run(argv, env=self.environment, check=False).returncode
        except FileNotFoundError:
            raise SystemFailure(f"{Path(argv[0]).name} is not there", where=argv[0]) from None

    def _streamed(self, argv: tuple[str, ...], stdin: bytes, said: Callable[[str], None]) -> Result:
        """Run a process, handing on each line that it prints while it prints it."""
        pipe = subprocess.PIPE
        lines: list[bytes] = []
        with subprocess.Popen(
            argv, env=self.environment, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, pass_fds=self.locks
        ) as process:
            assert process.stdin and process.stdout  # noqa: S101, PT018 (both are pipes: for the type checker)
            process.stdin.write(stdin)
            process.stdin.close()
            for line in process.stdout:
                lines.append(line)
                said(line.decode(errors="replace").strip())
        return Result(process.returncode, b"".join(lines), b"")
