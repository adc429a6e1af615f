"""What is on a daemon: its running containers, the states of the services, leftovers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.commands import run

if TYPE_CHECKING:
    from lab.collectives import Collective


def ids(collective: Collective) -> list[str]:
    """Return the ids of all running containers."""
    docker = ["docker", "--host", collective.host.docker_host]
    return sorted(run([*docker, "ps", "--no-trunc", "--format", "{{.ID}}"]).stdout.split())


def states(collective: Collective) -> dict[str, str]:
    """Return each service's state."""
    rows = json.loads(collective.darkpeak("status", "--json").stdout)
    return {row["service"]: row["state"] for row in rows}


def leftovers(collective: Collective) -> list[str]:
    """Return the containers that should not exist: locks, second instances, containers that do not run."""
    docker = ["docker", "--host", collective.host.docker_host, "ps", "-a", "--format", "{{.Names}} {{.State}}"]
    rows = [line.split() for line in run(docker).stdout.splitlines()]
    return [name for name, state in rows if state != "running" or "-lock-" in name]


def desired(collective: Collective) -> bool:
    """Return whether the daemon matches the files, without leftovers."""
    planned = collective.darkpeak("plan", check=False)
    routed = collective.darkpeak("routes", "--check", check=False)
    return planned.returncode == 0 and routed.returncode == 0 and not leftovers(collective)
