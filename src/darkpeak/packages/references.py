"""The names of images: registry, repository, tag and digest. Pure."""

import re
from dataclasses import dataclass

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?")
LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[::1\]")
HUB, HUB_ADDRESS = "docker.io", "registry-1.docker.io"  # what its images are named after, and what answers
LATEST = "latest"


class NoReference(Exception):
    """A text is no name of an image."""


@dataclass(frozen=True, order=True)
class Reference:
    """An image of a registry."""

    registry: str
    repository: str
    tag: str  # empty if it names only a digest
    digest: str = ""

    @property
    def name(self) -> str:
        """What an admin writes, without the digest."""
        short = (
            self.repository.removeprefix("library/") if self.registry == HUB else f"{self.registry}/{self.repository}"
        )
        return f"{short}:{self.tag}" if self.tag else short

    @property
    def url(self) -> str:
        """The address of its repository; only this machine's own registry may be without TLS."""
        address = HUB_ADDRESS if self.registry == HUB else self.registry
        scheme = "http" if LOOPBACK.fullmatch(re.sub(r":\d+$", "", address)) else "https"
        return f"{scheme}://{address}/v2/{self.repository}"


def read_reference(text: str) -> Reference:
    """Return the parts of an image's name, by Docker's rules: `nginx` is `docker.io/library/nginx:latest`.

    Raises:
        NoReference: when it is none.
    """
    name, at, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if named else (HUB, name)
    registry = HUB if registry == "index.docker.io" else registry
    repository, colon, tag = path.partition(":")
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    good = REGISTRY.fullmatch(registry) and all(PART.fullmatch(part) for part in repository.split("/"))
    if not good or (colon and not TAG.fullmatch(tag)) or (at and not DIGEST.fullmatch(digest)):
        raise NoReference(f"{text} is no name of an image")
    return Reference(registry, repository, tag or ("" if digest else LATEST), digest)
