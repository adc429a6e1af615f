"""The Docker engine, reached by a URI: the one place that imports its library and starts its client."""

import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from darkpeak import process
from darkpeak.collective.model import Container
from darkpeak.engine.endpoint import Endpoint, resolve
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed, Running
from darkpeak.result import Result
from darkpeak.trace import display
from darkpeak.vocabulary import CONTENT_LABEL, COPY_LABEL, DRILL_LABEL, PARTS_LABEL

if TYPE_CHECKING:
    from docker import DockerClient

PROJECT_LABEL = "com.docker.compose.project"
CONTAINER_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
# Compose labels images as well, and `docker run` hands those labels on; this one has only what compose itself started.
CONFIG_LABEL = "com.docker.compose.config-hash"
ANSWER_SECONDS = 60


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
        """The library's client, for this room alone.

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
            raise SystemFailure(f"no Docker engine answers at {self.name}: {in_short(error)}", hint=hint) from error

    @contextmanager
    def asking(self, failure: str, hint: str = "") -> Iterator[None]:
        """Turn the library's errors into ours: `the engine at NAME FAILURE: why`."""
        from docker.errors import DockerException

        try:
            yield
        except (DockerException, OSError) as error:
            raise SystemFailure(f"the engine at {self.name} {failure}: {in_short(error)}", hint=hint) from error

    # What is there.

    def observe(self) -> Observed:
        """Take one snapshot of all containers that compose has started on this engine, and of the images' names."""
        with self.asking("did not list its containers"):
            found = self.client.api.containers(all=True, filters={"label": [PROJECT_LABEL, CONFIG_LABEL]})
            images = self.client.api.images()
        kept = [item for item in found if item["Labels"].get(ONE_OFF_LABEL) != "True"]
        named = [(name.removesuffix(":latest"), item) for item in images for name in item.get("RepoTags") or ()]
        built = ((name, (item.get("Labels") or {}).get(CONTENT_LABEL, "")) for name, item in named)
        return Observed(
            tuple(sorted((_running(item) for item in kept), key=lambda item: (item.project, item.name))),
            tuple(sorted((name, item["Id"]) for name, item in named)),
            tuple(sorted((name, content) for name, content in built if content)),
        )

    def labels_of_containers(self, label: str) -> list[dict[str, str]]:
        """Return the labels of each container, running or not, that has a label (`KEY` or `KEY=VALUE`)."""
        with self.asking("did not list its containers"):
            return [item["Labels"] for item in self.client.api.containers(all=True, filters={"label": [label]})]

    def inspect(self, container: str) -> dict[str, Any]:
        """Return all that the engine knows of a container."""
        with self.asking("did not describe a container"):
            details: dict[str, Any] = self.client.api.inspect_container(container)
            return details

    def info(self) -> dict[str, Any]:
        """Return what the engine says of itself."""
        with self.asking("did not describe itself"):
            info: dict[str, Any] = self.client.info()
            return info

    def networks(self) -> list[dict[str, Any]]:
        """Return its networks, as its API describes them."""
        with self.asking("did not list its networks"):
            return list(self.client.api.networks())

    def subnets(self) -> list[str]:
        """Return the subnets of all its networks."""
        pools = (pool for item in self.networks() for pool in (item.get("IPAM") or {}).get("Config") or ())
        return [pool["Subnet"] for pool in pools if pool.get("Subnet")]

    def image_names(self, name: str = "") -> list[str]:
        """Return the names with tags of all its images, or of those called NAME."""
        with self.asking("did not list its images"):
            return sorted(tag for item in self.client.api.images(name or None) for tag in item.get("RepoTags") or ())

    def has_image(self, name: str) -> bool:
        """Whether it has an image, by name or id."""
        from docker.errors import ImageNotFound

        with self.asking("did not look for an image"):
            try:
                self.client.images.get(name)
            except ImageNotFound:
                return False
        return True

    def has_build_of(self, container: Container) -> bool:
        """Whether a container's image is there, built from these very files."""
        from docker.errors import ImageNotFound

        with self.asking("did not look for an image"):
            try:
                labels = self.client.images.get(container.image).labels
            except ImageNotFound:
                return False
        return bool(container.build) and labels.get(CONTENT_LABEL) == container.content

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        repository, _, tag = name.partition(":")
        with self.asking(f"did not name an image {name}"):
            self.client.api.tag(image, repository, tag or "latest", force=True)

    # Volumes.

    def volumes(self, label: str) -> dict[str, dict[str, str]]:
        """Return the labels of the volumes that have a label (`KEY` or `KEY=VALUE`), by the volume's name."""
        with self.asking("did not list its volumes"):
            found = self.client.api.volumes(filters={"label": [label]})["Volumes"]
        return {item["Name"]: item["Labels"] for item in found or ()}

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume with labels."""
        with self.asking("did not make a volume", "is its disk full? darkpeak doctor looks"):
            self.client.api.create_volume(name, labels=dict(labels))

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with self.asking("did not remove a volume"):
            self.client.api.remove_volume(name)

    # Programs and files in containers.

    def docker(self, *arguments: str, stdin: bytes = b"", seconds: float = process.SHORT_SECONDS) -> Result:
        """Run the `docker` client against this engine and keep what it prints."""
        return process.run(("docker", *arguments), environment=self.environment, stdin=stdin, seconds=seconds)

    def exec_in(
        self, container: str, argv: Sequence[str], stdin: bytes = b"", seconds: float = process.LONG_SECONDS
    ) -> Result:
        """Run a program in a container, with bytes on its standard input."""
        return self.docker("exec", "--interactive", container, *argv, stdin=stdin, seconds=seconds)

    def ask_in(self, container: str, argv: Sequence[str]) -> Result:
        """Run a program that reads nothing and ends soon in a container: by the API, without starting a client here."""
        with self.asking(f"did not run {argv[0]} in a container"):
            started = self.client.api.exec_create(container, list(argv))
            stdout, stderr = self.client.api.exec_start(started["Id"], demux=True)
            code = self.client.api.exec_inspect(started["Id"])["ExitCode"]
        process.log.info("$ docker exec %s %s (exit code %s)", container[:12], display(argv), code)
        return Result(int(code), stdout or b"", stderr or b"")

    def read_folder(self, container: str, folder: str) -> dict[str, bytes]:
        """Return the files of a container's folder, by their paths in it."""
        with self.asking(f"did not give {folder} of a container"):
            stream, _ = self.client.api.get_archive(container, folder)
            packed = io.BytesIO(b"".join(stream))
        with tarfile.open(fileobj=packed) as archive:
            files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive}
            return {name: file.read() for name, file in files.items() if file}

    def write_files(self, container: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files into a container's folder."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        with self.asking(f"did not take files for {folder} of a container"):
            self.client.api.put_archive(container, folder, packed.getvalue())


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
        scratch=DRILL_LABEL in labels or COPY_LABEL in labels,
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
