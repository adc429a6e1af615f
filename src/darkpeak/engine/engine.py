"""The Docker engine, through its library and its client; only this file and endpoint.py import the library."""

import io
import math
import os
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from darkpeak import process
from darkpeak.collective.model import Container
from darkpeak.engine.endpoint import Endpoint, default_name, how_to_reach, in_short, resolve
from darkpeak.engine.running import read_running
from darkpeak.errors import SystemFailure
from darkpeak.plan.images import Image
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.usage import Counted, read_usage
from darkpeak.result import Result
from darkpeak.trace import display
from darkpeak.vocabulary import CONTENT_LABEL, PROJECT_LABEL

if TYPE_CHECKING:
    from docker import DockerClient

VOLUME_LABEL = "com.docker.compose.volume"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
# Compose labels images too, and `docker run` copies these labels; only containers that compose made have this one.
CONFIG_LABEL = "com.docker.compose.config-hash"
NO_NAME = "<none>:<none>"  # what engines before 25 call an image whose name a later build took
ANSWER_SECONDS = 60
FIRST_SECONDS = 20  # for the first answer, which costs an engine nothing
BASE_COMMENT = "darkpeak base"  # of the base images that we made


class Engine:
    """One Docker engine. It connects at the first request, so making an Engine costs nothing."""

    def __init__(self, host: str | None = None) -> None:
        self.host = host
        self.asks = True  # whether ssh may ask a person when it connects
        self.failure: SystemFailure | None = None  # of an engine that does not answer: each use of it raises this
        self._endpoint: Endpoint | None = None
        self._client: DockerClient | None = None

    def answer(self) -> None:
        """Connect if it is not connected, and have the engine answer.

        Raises:
            SystemFailure: when it does not.
        """
        if self.endpoint.lost:
            raise SystemFailure(self.endpoint.lost, hint="what was done stays; run the same command again")
        if not self._client:
            self.client  # noqa: B018 (it asks)
            return
        with self.errors_as("answers no more"):
            self._client.api.timeout = FIRST_SECONDS
            self._client.ping()
            self._client.api.timeout = ANSWER_SECONDS

    @property
    def endpoint(self) -> Endpoint:
        """How this engine is reached; with ssh, the first use connects.

        Raises:
            SystemFailure: when ssh cannot log in.
        """
        if self.failure:
            raise self.failure
        if self._endpoint is None:  # a cached_property of Python 3.11 has one lock for all engines
            self._endpoint = resolve(self.host, os.environ, asks=self.asks)
        return self._endpoint

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which `docker` and the services' scripts use this engine."""
        return dict(self.endpoint.environment)

    @property
    def name(self) -> str:
        """What to call this engine in a message."""
        return self.host or os.environ.get("DOCKER_HOST") or default_name(os.environ)

    @property
    def client(self) -> "DockerClient":
        """The library's client, for this room only.

        Raises:
            SystemFailure: when no engine answers.
        """
        if self.failure:
            raise self.failure
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> "DockerClient":
        import docker
        from docker.errors import DockerException

        try:
            client = docker.DockerClient(**self.endpoint.arguments(), timeout=FIRST_SECONDS)
        except (DockerException, OSError) as error:
            what = f"no Docker engine answers at {self.name}: {in_short(error)}"
            raise SystemFailure(what, hint=how_to_reach(str(error))) from error
        client.api.timeout = ANSWER_SECONDS
        return client

    @contextmanager
    def errors_as(self, failure: str, hint: str = "") -> Iterator[None]:
        """Turn the library's errors into ours, as `the engine at NAME FAILURE: why`."""
        from docker.errors import DockerException

        try:
            yield
        except (DockerException, OSError) as error:
            raise SystemFailure(f"the engine at {self.name} {failure}: {in_short(error)}", hint=hint) from error

    # Containers, networks and images.

    def observe(self) -> Observed:
        """Return all containers that compose made on this engine, and the names of all images, as they are now."""
        with self.errors_as("did not list its containers"):
            found = self.client.api.containers(all=True, filters={"label": [PROJECT_LABEL, CONFIG_LABEL]})
            images = self.client.api.images()
        kept = [item for item in found if item["Labels"].get(ONE_OFF_LABEL) != "True"]
        named = [(name.removesuffix(":latest"), item) for item in images for name in item.get("RepoTags") or ()]
        built = ((name, (item.get("Labels") or {}).get(CONTENT_LABEL, "")) for name, item in named)
        return Observed(
            tuple(sorted((read_running(item) for item in kept), key=lambda item: (item.project, item.name))),
            tuple(sorted((name, item["Id"]) for name, item in named)),
            tuple(sorted((name, content) for name, content in built if content)),
        )

    def containers_of(self, project: str) -> tuple[Running, ...]:
        """Return the containers that compose made for one project, as they are now."""
        with self.errors_as("did not list its containers"):
            label = f"{PROJECT_LABEL}={project}"
            found = self.client.api.containers(all=True, filters={"label": [label, CONFIG_LABEL]})
        return tuple(read_running(item) for item in found if item["Labels"].get(ONE_OFF_LABEL) != "True")

    def running(self) -> list[dict[str, Any]]:
        """Return the engine's list of all running containers, also of those that compose did not make."""
        with self.errors_as("did not list its containers"):
            return list(self.client.api.containers())

    def labels_of_containers(self, label: str) -> list[dict[str, str]]:
        """Return the labels of each container, running or not, that has a label (`KEY` or `KEY=VALUE`)."""
        with self.errors_as("did not list its containers"):
            return [item["Labels"] for item in self.client.api.containers(all=True, filters={"label": [label]})]

    def inspect(self, container: str) -> dict[str, Any]:
        """Return the engine's description of a container."""
        with self.errors_as("did not describe a container"):
            details: dict[str, Any] = self.client.api.inspect_container(container)
            return details

    def usage(self, containers: Iterable[str]) -> list[Counted]:
        """Return what it has counted of running containers; nothing of those that do not run."""
        from docker.errors import NotFound

        found = []
        with self.errors_as("did not say what a container uses"):
            for container in containers:
                try:
                    began = self.client.api.inspect_container(container)["State"]["StartedAt"]
                    stats = self.client.api.stats(container, stream=False, one_shot=True)
                except NotFound:  # it has just been removed
                    continue
                found.append(read_usage(container, began, stats))
        return [item for item in found if item]

    def info(self) -> dict[str, Any]:
        """Return the engine's description of itself."""
        with self.errors_as("did not describe itself"):
            return dict(self.client.info())

    def networks(self) -> list[dict[str, Any]]:
        """Return the descriptions of its networks."""
        with self.errors_as("did not list its networks"):
            return list(self.client.api.networks())

    def subnets(self) -> list[str]:
        """Return the subnets of all its networks."""
        pools = (pool for item in self.networks() for pool in (item.get("IPAM") or {}).get("Config") or ())
        return [pool["Subnet"] for pool in pools if pool.get("Subnet")]

    def image_names(self, name: str = "", label: str = "") -> list[str]:
        """Return the names, with tags, of all its images, or of those with this name or label."""
        with self.errors_as("did not list its images"):
            found = self.client.api.images(name or None, filters={"label": label} if label else None)
            return sorted(tag for item in found for tag in item.get("RepoTags") or () if tag != NO_NAME)

    def nameless_images(self, label: str) -> list[str]:
        """Return the ids of its images with a label whose name a later build took."""
        with self.errors_as("did not list its images"):
            return sorted(self.client.api.images(quiet=True, filters={"label": label, "dangling": True}))

    def has_image(self, name: str) -> bool:
        """Return whether it has an image, by name or id."""
        from docker.errors import ImageNotFound

        with self.errors_as("did not look for an image"):
            try:
                self.client.images.get(name)
            except ImageNotFound:
                return False
        return True

    def registry_digests(self, image: str) -> list[str]:
        """Return the names, with digests, under which registries have one of its images; none for one built here."""
        with self.errors_as("did not describe an image"):
            return list(self.client.images.get(image).attrs.get("RepoDigests") or ())

    def has_build_of(self, container: Container) -> bool:
        """Return whether it has a container's image, built from the files as they are now."""
        from docker.errors import ImageNotFound

        with self.errors_as("did not look for an image"):
            try:
                labels = self.client.images.get(container.image).labels
            except ImageNotFound:
                return False
        return bool(container.build) and labels.get(CONTENT_LABEL) == container.content

    def images(self) -> list[Image]:
        """Return all its images; an image that is only part of another one is not among them."""
        with self.errors_as("did not list its images"):
            found = self.client.api.df()["Images"] or ()
            return [self._image(item) for item in found]

    def _image(self, item: Mapping[str, Any]) -> Image:
        names = tuple(name for name in item.get("RepoTags") or () if name != NO_NAME)
        labels = item.get("Labels") or {}
        unknown = not names and PROJECT_LABEL not in labels and not item.get("RepoDigests")
        comment = self.client.images.get(item["Id"]).attrs.get("Comment") if unknown else ""
        unshared = max(0, item["Size"] - max(0, item.get("SharedSize", 0)))
        return Image(item["Id"], names, labels.get(PROJECT_LABEL, ""), comment == BASE_COMMENT, unshared)

    def age_of_image(self, name: str) -> float:
        """Return how many seconds ago an image was made; infinity without such an image."""
        with self.errors_as("did not list its images"):
            return time.time() - max((item["Created"] for item in self.client.api.images(name)), default=-math.inf)

    def used_images(self) -> set[str]:
        """Return the ids of the images of all containers, running or not."""
        with self.errors_as("did not list its containers"):
            return {item["ImageID"] for item in self.client.api.containers(all=True)}

    def remove_image(self, image: str) -> bool:
        """Remove an image, or one of its names; return whether it is gone. The engine keeps an image that is in use."""
        return not self.docker("rmi", image, seconds=process.LONG_SECONDS).code

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        repository, _, tag = name.partition(":")
        with self.errors_as(f"did not name an image {name}"):
            self.client.api.tag(image, repository, tag or "latest", force=True)

    # Volumes.

    def volumes(self, label: str) -> dict[str, dict[str, str]]:
        """Return the labels of the volumes that have a label (`KEY` or `KEY=VALUE`), by the volume's name."""
        with self.errors_as("did not list its volumes"):
            found = self.client.api.volumes(filters={"label": [label]})["Volumes"]
        return {item["Name"]: item["Labels"] for item in found or ()}

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume with labels."""
        with self.errors_as("did not make a volume", "check whether its disk is full: darkpeak doctor"):
            self.client.api.create_volume(name, labels=dict(labels))

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with self.errors_as("did not remove a volume"):
            self.client.api.remove_volume(name)

    # Programs and files in containers.

    def docker(self, *arguments: str, stdin: bytes = b"", seconds: float = process.SHORT_SECONDS) -> Result:
        """Run the `docker` client on this engine; return its result."""
        return process.run(("docker", *arguments), environment=self.environment, stdin=stdin, seconds=seconds)

    def stop(self, container: str) -> None:
        """Stop a container; it may finish its work for as long as it was started with (compose's stop_grace_period)."""
        self.docker("stop", container, seconds=process.LONG_SECONDS)

    def exec_in(
        self, container: str, argv: Sequence[str], stdin: bytes = b"", seconds: float = process.LONG_SECONDS
    ) -> Result:
        """Run a program in a container, with bytes on its standard input; return its result."""
        return self.docker("exec", "--interactive", container, *argv, stdin=stdin, seconds=seconds)

    def exec_by_api(self, container: str, argv: Sequence[str]) -> Result:
        """Run a program that reads no input in a container, by the API, without a client program; return its result."""
        with self.errors_as(f"did not run {argv[0]} in a container"):
            started = self.client.api.exec_create(container, list(argv))
            stdout, stderr = self.client.api.exec_start(started["Id"], demux=True)
            code = self.client.api.exec_inspect(started["Id"])["ExitCode"]
        process.log.info("$ docker exec %s %s (exit code %s)", container[:12], display(argv), code)
        return Result(int(code), stdout or b"", stderr or b"")

    def read_archive(self, container: str, path: str) -> bytes:
        """Return a file or folder of a container, running or not, as an archive; empty if there is no such path."""
        from docker.errors import NotFound

        with self.errors_as(f"did not send {path} of a container"):
            try:
                stream, _ = self.client.api.get_archive(container, path)
            except NotFound as error:
                if "No such container" in str(error):
                    raise
                return b""
            return b"".join(stream)

    def read_folder(self, container: str, folder: str) -> dict[str, bytes]:
        """Return the files in a container's folder, by their paths in it."""
        with self.errors_as(f"did not send {folder} of a container"):
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
                member.mtime = int(time.time())  # the router deletes files of changes that were never applied, when old
                archive.addfile(member, io.BytesIO(content))
        with self.errors_as(f"did not write files into {folder} of a container"):
            self.client.api.put_archive(container, folder, packed.getvalue())
