"""The Docker engine, through its API and its client."""

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
from darkpeak.engine.api import NOT_FOUND, Api, Refused
from darkpeak.engine.endpoint import Endpoint, default_name, how_to_reach, in_short, resolve
from darkpeak.engine.replicated import NO_MANAGER, read_stacks
from darkpeak.engine.running import read_containers
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed, Running
from darkpeak.result import Result
from darkpeak.trace import display
from darkpeak.vocabulary import CONTENT_LABEL, PROJECT_LABEL

if TYPE_CHECKING:
    from darkpeak.plan.images import Image
    from darkpeak.plan.usage import Counted

VOLUME_LABEL, NETWORK_LABEL = "com.docker.compose.volume", "com.docker.compose.network"
# Compose labels images too, and `docker run` copies these labels; only containers that compose made have this one.
CONFIG_LABEL = "com.docker.compose.config-hash"
NO_NAME = "<none>:<none>"  # what engines before 25 call an image whose name a later build took
FIRST_SECONDS = 20  # for the first answer, which costs an engine nothing
BASE_COMMENT = "darkpeak base"  # of the base images that we made


class Engine:
    """One Docker engine. It connects at the first request, so making an Engine costs nothing."""

    def __init__(self, host: str | None = None, *, swarm: bool = False) -> None:
        self.host, self.swarm = host, swarm  # `swarm`: it manages one, whose stacks are observed too
        self.asks = True  # whether ssh may ask a person when it connects
        self.failure: SystemFailure | None = None  # of an engine that does not answer: each use of it raises this
        self._endpoint: Endpoint | None = None
        self._api: Api | None = None

    def answer(self) -> None:
        """Connect if it is not connected, and have the engine answer.

        Raises:
            SystemFailure: when it does not.
        """
        if self.endpoint.lost:
            raise SystemFailure(self.endpoint.lost, hint="what was done stays; run the same command again")
        if not self._api:
            self.api  # noqa: B018 (it asks)
            return
        with self.errors_as("answers no more"):
            self._api.ping(FIRST_SECONDS)

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
    def api(self) -> Api:
        """The engine's API, for this room only.

        Raises:
            SystemFailure: when no engine answers.
        """
        if self.failure:
            raise self.failure
        if self._api is None:
            self._api = self._connect()
        return self._api

    def _connect(self) -> Api:
        api = self.endpoint.api
        try:
            api.ping(FIRST_SECONDS)
        except (Refused, OSError) as error:
            what = f"no Docker engine answers at {self.name}: {in_short(error)}"
            raise SystemFailure(what, hint=how_to_reach(str(error))) from error
        return api

    @contextmanager
    def errors_as(self, failure: str, hint: str = "") -> Iterator[None]:
        """Turn the API's errors into ours, as `the engine at NAME FAILURE: why`."""
        try:
            yield
        except (Refused, OSError) as error:
            raise SystemFailure(f"the engine at {self.name} {failure}: {in_short(error)}", hint=hint) from error

    # Containers, networks and images.

    def observe(self) -> Observed:
        """Return all containers that compose made on this engine, and the names of all images, as they are now."""
        with self.errors_as("did not list its containers", NO_MANAGER if self.swarm else ""):
            found = self._containers(PROJECT_LABEL, CONFIG_LABEL)
            images = self.api.get("images/json")
            stacks, doors = read_stacks(self.api) if self.swarm else ((), ())
        named = [(name.removesuffix(":latest"), item) for item in images for name in item.get("RepoTags") or ()]
        built = ((name, (item.get("Labels") or {}).get(CONTENT_LABEL, "")) for name, item in named)
        return Observed(
            tuple(sorted(read_containers(found), key=lambda item: (item.project, item.name))),
            tuple(sorted((name, item["Id"]) for name, item in named)),
            tuple(sorted((name, content) for name, content in built if content)),
            stacks,
            doors,
        )

    def containers_of(self, project: str) -> tuple[Running, ...]:
        """Return the containers that compose made for one project, as they are now."""
        with self.errors_as("did not list its containers"):
            found = self._containers(f"{PROJECT_LABEL}={project}", CONFIG_LABEL)
        return tuple(read_containers(found))

    def running(self) -> list[dict[str, Any]]:
        """Return the engine's list of all running containers, also of those that compose did not make."""
        with self.errors_as("did not list its containers"):
            return list(self.api.get("containers/json"))

    def containers(self, label: str = "") -> list[dict[str, Any]]:
        """Return the engine's list of all containers, running or not, or of those with a label."""
        with self.errors_as("did not list its containers"):
            return self._containers(label) if label else self._containers()

    def _containers(self, *labels: str) -> list[dict[str, Any]]:
        """Return the engine's list of the containers, running or not, that have all these labels."""
        return list(self.api.get("containers/json", all=True, filters={"label": labels}))

    def inspect(self, container: str) -> dict[str, Any]:
        """Return the engine's description of a container."""
        with self.errors_as("did not describe a container"):
            details: dict[str, Any] = self.api.get(f"containers/{container}/json")
            return details

    def usage(self, containers: Iterable[str]) -> "list[Counted]":
        """Return what it has counted of running containers; nothing of those that do not run."""
        from darkpeak.plan.usage import read_usage

        found = []
        with self.errors_as("did not say what a container uses"):
            for container in containers:
                try:
                    began = self.api.get(f"containers/{container}/json")["State"]["StartedAt"]
                    stats = self.api.get(f"containers/{container}/stats", **{"stream": False, "one-shot": True})
                except Refused as error:
                    if error.status != NOT_FOUND:  # else it has just been removed
                        raise
                    continue
                found.append(read_usage(container, began, stats))
        return [item for item in found if item]

    def info(self) -> dict[str, Any]:
        """Return the engine's description of itself."""
        with self.errors_as("did not describe itself"):
            return dict(self.api.get("info"))

    def networks(self) -> list[dict[str, Any]]:
        """Return the descriptions of its networks."""
        with self.errors_as("did not list its networks"):
            return list(self.api.get("networks"))

    def subnets(self) -> list[str]:
        """Return the subnets of all its networks."""
        pools = (pool for item in self.networks() for pool in (item.get("IPAM") or {}).get("Config") or ())
        return [pool["Subnet"] for pool in pools if pool.get("Subnet")]

    def image_names(self, name: str = "", label: str = "") -> list[str]:
        """Return the names, with tags, of all its images, or of those with this name or label."""
        with self.errors_as("did not list its images"):
            wanted = {key: [value] for key, value in (("reference", name), ("label", label)) if value}
            found = self.api.get("images/json", filters=wanted)
            return sorted(tag for item in found for tag in item.get("RepoTags") or () if tag != NO_NAME)

    def nameless_images(self, label: str) -> list[str]:
        """Return the ids of its images with a label whose name a later build took."""
        with self.errors_as("did not list its images"):
            found = self.api.get("images/json", filters={"label": [label], "dangling": ["true"]})
            return sorted(item["Id"] for item in found)

    def has_image(self, name: str) -> bool:
        """Return whether it has an image, by name or id."""
        with self.errors_as("did not look for an image"):
            return self._find_image(name) is not None

    def _find_image(self, name: str) -> dict[str, Any] | None:
        """Return the engine's description of an image, by name or id; None if it has none."""
        try:
            return dict(self.api.get(f"images/{name}/json"))
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
        return None

    def registry_digests(self, image: str) -> list[str]:
        """Return the names, with digests, under which registries have one of its images; none for one built here."""
        with self.errors_as("did not describe an image"):
            return list(self.api.get(f"images/{image}/json").get("RepoDigests") or ())

    def has_build_of(self, container: Container) -> bool:
        """Return whether it has a container's image, built from the files as they are now."""
        with self.errors_as("did not look for an image"):
            found = self._find_image(container.image)
        labels = ((found or {}).get("Config") or {}).get("Labels") or {}
        return bool(container.build) and labels.get(CONTENT_LABEL) == container.content

    def images(self) -> "list[Image]":
        """Return all its images; an image that is only part of another one is not among them."""
        with self.errors_as("did not list its images"):
            found = self.api.get("system/df")["Images"] or ()
            return [self._image(item) for item in found]

    def _image(self, item: Mapping[str, Any]) -> "Image":
        from darkpeak.plan.images import Image

        names = tuple(name for name in item.get("RepoTags") or () if name != NO_NAME)
        labels = item.get("Labels") or {}
        unknown = not names and PROJECT_LABEL not in labels and not item.get("RepoDigests")
        comment = self.api.get(f"images/{item['Id']}/json").get("Comment") if unknown else ""
        unshared = max(0, item["Size"] - max(0, item.get("SharedSize", 0)))
        return Image(item["Id"], names, labels.get(PROJECT_LABEL, ""), comment == BASE_COMMENT, unshared)

    def age_of_image(self, name: str) -> float:
        """Return how many seconds ago an image was made; infinity without such an image."""
        with self.errors_as("did not list its images"):
            found = self.api.get("images/json", filters={"reference": [name]})
            return time.time() - max((item["Created"] for item in found), default=-math.inf)

    def remove_image(self, image: str) -> bool:
        """Remove an image, or one of its names; return whether it is gone. The engine keeps an image that is in use."""
        return not self.docker("rmi", image, seconds=process.LONG_SECONDS).code

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        repository, _, tag = name.partition(":")
        with self.errors_as(f"did not name an image {name}"):
            self.api.post(f"images/{image}/tag", repo=repository, tag=tag or "latest")

    # Volumes.

    def volumes(self, label: str) -> dict[str, dict[str, str]]:
        """Return the labels of the volumes that have a label (`KEY` or `KEY=VALUE`), by the volume's name."""
        with self.errors_as("did not list its volumes"):
            found = self.api.get("volumes", filters={"label": [label]})["Volumes"]
        return {item["Name"]: item["Labels"] for item in found or ()}

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume with labels."""
        with self.errors_as("did not make a volume", "check whether its disk is full: darkpeak doctor"):
            self.api.post("volumes/create", {"Name": name, "Labels": dict(labels)})

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with self.errors_as("did not remove a volume"):
            self.api.delete(f"volumes/{name}")

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
            code, stdout, stderr = self.api.execute(container, argv)
        process.log.info("$ docker exec %s %s (exit code %s)", container[:12], display(argv), code)
        return Result(code, stdout, stderr)

    def read_archive(self, container: str, path: str) -> bytes:
        """Return a file or folder of a container, running or not, as an archive; empty if there is no such path."""
        with self.errors_as(f"did not send {path} of a container"):
            try:
                return self.api.read(f"containers/{container}/archive", path=path)
            except Refused as error:
                if error.status != NOT_FOUND or "No such container" in str(error):
                    raise
                return b""

    def size_of(self, container: str, path: str) -> int:
        """Return the size of a file of a container; 0 if there is none. That costs far less than reading it."""
        with self.errors_as(f"did not look for {path} of a container"):
            try:
                return int(self.api.stat(f"containers/{container}/archive", path=path).get("size", 0))
            except Refused as error:
                if error.status != NOT_FOUND:
                    raise
                return 0

    def read_folder(self, container: str, folder: str) -> dict[str, bytes]:
        """Return the files in a container's folder, by their paths in it."""
        with self.errors_as(f"did not send {folder} of a container"):
            packed = io.BytesIO(self.api.read(f"containers/{container}/archive", path=folder))
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
            self.api.write(f"containers/{container}/archive", packed.getvalue(), path=folder)
