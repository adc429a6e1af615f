"""The Docker engine, reached by a URI: the one place that imports its library and starts its client."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from darkpeak.collective.model import Container
from darkpeak.engine.endpoint import Endpoint, resolve
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed, Running

if TYPE_CHECKING:
    from docker import DockerClient

PROJECT_LABEL = "com.docker.compose.project"
CONTAINER_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
CONTENT_LABEL = "darkpeak.content"
PARTS_LABEL = "darkpeak.parts"
ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Result:
    """How a process ended, with what it printed."""

    code: int
    stdout: bytes
    stderr: bytes

    def complaint(self, most: int = 1) -> str:
        """Return the last lines of what it said on stderr (or else stdout), as one line of text."""
        return "; ".join(line.strip() for line in self.tail(most).splitlines())

    def tail(self, most: int) -> str:
        """Return those last lines as they were printed."""
        said = (self.stderr.strip() or self.stdout.strip()).decode(errors="replace")
        return "\n".join(said.splitlines()[-most:])


class Engine:
    """One Docker engine. Connects at the first question, so that making one costs nothing."""

    def __init__(self, host: str | None = None) -> None:
        self.host = host
        self._client: DockerClient | None = None

    @cached_property
    def endpoint(self) -> Endpoint:
        """How this engine is reached; by ssh, this connects."""
        return resolve(self.host, os.environ)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for `docker` and for the services' scripts, pointing at this engine."""
        return dict(self.endpoint.environment)

    @property
    def name(self) -> str:
        """What to call this engine in a message."""
        return self.host or os.environ.get("DOCKER_HOST") or "this machine's engine"

    @property
    def client(self) -> "DockerClient":
        """The library's client.

        Raises:
            SystemFailure: when no engine answers there.
        """
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> "DockerClient":
        import docker
        from docker.errors import DockerException

        try:
            return docker.DockerClient(**self.endpoint.arguments(), timeout=ANSWER_SECONDS)
        except (DockerException, OSError) as error:
            hint = "start it (bin/demo does on this machine), or point --host or DOCKER_HOST at the right one"
            if "HTTP request to an HTTPS server" in str(error):
                hint = "it wants TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of the certificates"
            raise SystemFailure(f"no Docker engine answers at {self.name}: {in_short(error)}", hint=hint) from None

    def observe(self) -> Observed:
        """Take one snapshot of all containers that compose has made on this engine, and of the images' names."""
        from docker.errors import DockerException

        try:
            found = self.client.api.containers(all=True, filters={"label": [PROJECT_LABEL]})
            images = self.client.api.images()
        except (DockerException, OSError) as error:
            raise SystemFailure(f"the engine at {self.name} did not list its containers: {in_short(error)}") from None
        kept = [item for item in found if item["Labels"].get(ONE_OFF_LABEL) != "True"]
        names = ((name.removesuffix(":latest"), item["Id"]) for item in images for name in item.get("RepoTags") or ())
        running = sorted((_running(item) for item in kept), key=lambda item: (item.project, item.name))
        return Observed(tuple(running), tuple(sorted(names)))

    def volumes(self, label: str) -> dict[str, dict[str, str]]:
        """Return the labels of the volumes that have a label (`KEY` or `KEY=VALUE`), by the volume's name."""
        from docker.errors import DockerException

        try:
            found = self.client.api.volumes(filters={"label": [label]})["Volumes"]
        except (DockerException, OSError) as error:
            raise SystemFailure(f"the engine at {self.name} did not list its volumes: {in_short(error)}") from None
        return {item["Name"]: item["Labels"] for item in found or ()}

    def container(self, running: Running) -> Any:
        """Return the library's object for a container."""
        return self.client.containers.get(running.id)

    def has_image(self, container: Container) -> bool:
        """Whether a container's image is there, built from these very files."""
        from docker.errors import ImageNotFound

        try:
            labels = self.client.images.get(container.image).labels
        except ImageNotFound:
            return False
        return bool(container.build) and labels.get(CONTENT_LABEL) == container.content

    def docker(self, *arguments: str, stdin: bytes | None = None) -> Result:
        """Run the `docker` client against this engine and keep what it prints."""
        return run(("docker", *arguments), self.environment, stdin)

    def exec_in(self, container: str, argv: tuple[str, ...], stdin: bytes = b"") -> Result:
        """Run a program in a container, with bytes on its standard input."""
        return self.docker("exec", "--interactive", container, *argv, stdin=stdin)


def run(argv: tuple[str, ...], environment: Mapping[str, str], stdin: bytes | None = None) -> Result:
    """Run a process to its end.

    Raises:
        SystemFailure: when there is no such program.
    """
    try:
        done = subprocess.run(argv, env=environment, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise SystemFailure(f"{argv[0]} is not installed", hint="bin/demo installs what is missing") from None
    return Result(done.returncode, done.stdout, done.stderr)


def _running(item: Mapping[str, Any]) -> Running:
    labels = item["Labels"]
    health = re.search(r"\((?:health: )?(healthy|unhealthy|starting)\)", item["Status"])
    ports = {(port["PrivatePort"], port["PublicPort"]) for port in item.get("Ports") or () if port.get("PublicPort")}
    return Running(
        id=item["Id"],
        project=labels[PROJECT_LABEL],
        container=labels.get(CONTAINER_LABEL, ""),
        number=int(labels.get(NUMBER_LABEL, "1")),
        name=(item.get("Names") or ["/?"])[0].lstrip("/"),
        state=item["State"],
        health=health[1] if health else "",
        content=labels.get(CONTENT_LABEL, ""),
        parts=_parts(labels.get(PARTS_LABEL, "")),
        image=item["ImageID"],
        created=item["Created"],
        ports=tuple(sorted(ports)),
    )


def _parts(label: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(name), str(value)) for name, value in json.loads(label or "{}").items())
    except (ValueError, AttributeError):
        return ()


def in_short(error: BaseException) -> str:
    """Return an error's innermost words: the library wraps them three deep."""
    text = str(error)
    found = re.findall(r"(?:Error\(\d+, |Errno \d+\] )'?([^')]+)", text)
    return found[-1] if found else text.splitlines()[0] if text else type(error).__name__
