"""Containers that are made old on purpose: running ones, whose files the test writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkpeak.engine.engine import Engine
from darkpeak.packages.apt import LABEL, find_newer
from darkpeak.packages.container import CannotTell, Files, read_files
from lab.commands import run
from tests.live.archive import KEYRING, SECURITY, SUITE, Archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from darkpeak.packages.policy import Newer
    from lab.hosts import Host

IMAGE = "debian:trixie"
LISTED = re.compile(r"^([^/]+)/\S+ (\S+) (\S+) \[upgradable from: (\S+)\]$", re.MULTILINE)
OWN_ANSWER = "apt-get -qq update && apt -qq list --upgradable"
NOW = 0  # minutes for which an index is used: it is made again


@dataclass(frozen=True)
class Old:
    """A running container whose files the test writes."""

    host: Host
    name: str

    def docker(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Run the docker client; return its output."""
        argv = ["docker", "--host", self.host.docker_host, *arguments]
        return run(argv, stdin=stdin, check=check, timeout=120).stdout

    def shell(self, script: str, stdin: str = "") -> str:
        """Run a shell script in the container."""
        return self.docker("exec", "--interactive", self.name, "sh", "-c", script, stdin=stdin)

    def write(self, path: str, text: str) -> None:
        """Write a file in the container."""
        self.shell(f"mkdir -p $(dirname {path}) && cat >{path}", text)

    def files(self) -> Files:
        """Return what apt's answer depends on, as the tool reads it."""
        return read_files(Engine(self.host.docker_host), self.name)

    def newer(self, files: Files | None = None) -> list[Newer]:
        """Return the tool's answer, with new lists."""
        engine = Engine(self.host.docker_host)
        answer = find_newer(engine, IMAGE, [files or self.files()], minutes=NOW)[0]
        assert not isinstance(answer, CannotTell), answer
        return answer

    def own(self) -> set[tuple[str, str, str]]:
        """Return the own answer of the container's apt: package, old and new version."""
        return read_listed(self.shell(OWN_ANSWER))


def read_listed(text: str) -> set[tuple[str, str, str]]:
    """Return package, old and new version of each line of `apt list --upgradable`."""
    found = LISTED.findall(text)
    return {
        (name if architecture in ("amd64", "all") else f"{name}:{architecture}", old, new)
        for name, new, architecture, old in found
    }


def three(newer: list[Newer]) -> set[tuple[str, str, str]]:
    """Return package, old and new version of each."""
    return {(item.package, item.old, item.new) for item in newer}


def start(host: Host, archive: Archive, image: str) -> Iterator[Old]:
    """Yield a container of an image, as `old` does."""
    container = Old(host, "old")
    container.docker("run", "--detach", "--init", f"--name={container.name}", image, "sleep", "infinity")
    try:
        container.write(KEYRING, archive.public_key)
        container.write("/etc/apt/sources.list", archive.sources(SUITE, SECURITY))
        yield container
    finally:
        container.docker("rm", "--force", container.name)
        for index in container.docker("volume", "ls", "--quiet", "--filter", f"label={LABEL}").split():
            container.docker("volume", "rm", index)


def image_of(old: Old) -> str:
    """Return the image of a container."""
    return old.docker("inspect", "--format", "{{.Image}}", old.name).strip()
