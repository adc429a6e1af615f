"""Make a package in a container old, as if the image had been built before the package's last update."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.collectives import Collective

VERSION = ("dpkg-query", "--show", "--showformat", "${Version}", "hostname")
OLDER = r"/^Package: hostname$/,/^$/s/^Version: .*/&~older/"
FILES = "{{.GraphDriver.Data.MergedDir}}"


def make_older(collective: Collective, service: str, container: str) -> tuple[str, str]:
    """Write an older version of a package into dpkg's list; return that version and the real one.

    The list is written from outside, in the engine's data: the container itself is read-only.
    """
    version = collective.execute(service, container, *VERSION).stdout
    identity = collective.compose(service, "ps", "--quiet", container).stdout.strip()
    docker = ("docker", "--host", collective.host.docker_host)
    files = collective.host.run([*docker, "inspect", "--format", FILES, identity]).stdout.strip()
    collective.host.run(["sed", "-i", OLDER, f"{files}/var/lib/dpkg/status"])
    return f"{version}~older", version
