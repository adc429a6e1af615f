"""A collective under test, used as admins use it: with the tool, plain docker compose, and a service's scripts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from lab.commands import Options, Result, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.hosts import Host

TOP = Path(__file__).parents[1]
TOOL = Path(sys.executable).with_name("darkpeak")
SERVICES = tuple(sorted(file.parent.name for file in TOP.glob("services/*/docker-compose.yml")))
KEEP_CHECKING = (TOP / "services/router/haproxy/bin/keep-checking").read_text()  # for services of the tests, too
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # without our virtual environment


def copy_of_ours(top: Path, host: Host) -> Collective:
    """Make a copy of this repository's collective in an empty folder; return it, with a host."""
    top.mkdir(exist_ok=True)
    shutil.copy(TOP / "collective.toml", top)
    shutil.copytree(TOP / "services", top / "services")
    return Collective(top, host)


@dataclass(frozen=True)
class Collective:
    """A folder with collective.toml and services/, the host whose engine it uses, and the tool that is used."""

    top: Path
    host: Host
    tool: Path = field(default=TOOL, kw_only=True)

    def folder(self, service: str) -> Path:
        """Return a service's folder."""
        return self.top / "services" / service

    def darkpeak(self, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run the tool in the collective's folder."""
        return self._run([str(self.tool), *arguments], self.top, options)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the tool in the collective's folder, and do not wait for its end."""
        environment, pipe = dict(self.environment), subprocess.PIPE
        return subprocess.Popen(
            [str(self.tool), *arguments], cwd=self.top, env=environment, stdout=pipe, stderr=pipe, text=True
        )

    def compose(self, service: str, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run plain `docker compose` in a service's folder."""
        return self._run(["docker", "compose", *arguments], self.folder(service), options)

    def script(self, service: str, name: str, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run one of a service's scripts, not from its own folder."""
        return self._run([str(self.folder(service) / "scripts" / name), *arguments], "/", options)

    def fetch_packages(self, service: str) -> None:
        """Fetch the packages of a service whose shape is from PyPI or npm, as an admin does who has pip and npm."""
        path = f"{TOOL.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHON": sys.executable}
        self.script(service, "packages", env=environment, timeout=300)

    def execute(self, service: str, container: str, *argv: str, **options: Unpack[Options]) -> Result:
        """Run a command inside a container of a service, as the container's own user."""
        return self.compose(service, "exec", "-T", container, *argv, **options)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of an admin's shell: PATH without our tools, and no variable of ours."""
        return {"PATH": PLAIN_PATH, "HOME": "/root", "LANG": "C.UTF-8", "DOCKER_HOST": self.host.docker_host}

    def configuration(self, service: str) -> dict[str, Any]:
        """Return the compose file as `docker compose config` prints it."""
        answer: dict[str, Any] = json.loads(self.compose(service, "config", "--format", "json").stdout)
        return answer

    def containers(self, service: str) -> list[str]:
        """Return the names of the containers in the compose file."""
        return sorted(self.configuration(service)["services"])

    def needs(self, service: str) -> list[str]:
        """Return the services whose networks or volumes this one uses, in the order in which they must start."""
        configuration = self.configuration(service)
        used = [*configuration.get("networks", {}).values(), *configuration.get("volumes", {}).values()]
        wanted = {one["name"] for one in used if one.get("external")}
        found: list[str] = []
        for other in SERVICES:
            if other != service and wanted & self.owned(other):
                found += [*self.needs(other), other]
        return list(dict.fromkeys(found))

    def owned(self, service: str) -> set[str]:
        """Return the networks and volumes that a service defines."""
        configuration = self.configuration(service)
        made = [*configuration.get("networks", {}).values(), *configuration.get("volumes", {}).values()]
        return {one["name"] for one in made if not one.get("external")}

    def _run(self, argv: Sequence[str], cwd: Path | str, options: Options) -> Result:
        settled: Options = {"timeout": 120, "cwd": cwd, "env": self.environment}
        return run(argv, **(settled | options))
