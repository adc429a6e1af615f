"""A container of compose, as the engine's list describes it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from darkpeak.plan.observed import Running
from darkpeak.vocabulary import CONTENT_LABEL, COPY_LABEL, DRILL_LABEL, PARTS_LABEL, PROJECT_LABEL

CONTAINER_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
TASK_LABEL = "com.docker.swarm.task.id"
NUMBER_LABEL = "com.docker.compose.container-number"


def read_containers(found: Iterable[Mapping[str, Any]]) -> Iterator[Running]:
    """Yield those of the engine's list that run for a service, or shall: no `docker compose run`, no task that ended.

    A swarm keeps some tasks that have ended, and has put others in their place.
    """
    for item in found:
        labels = item["Labels"]
        if labels.get(ONE_OFF_LABEL) != "True" and (TASK_LABEL not in labels or item["State"] == "running"):
            yield read_running(item)


def read_running(item: Mapping[str, Any]) -> Running:
    """Return a container as it is in the engine's list."""
    labels = item["Labels"]
    health = re.search(r"\((?:health: )?(healthy|unhealthy|starting)\)", item["Status"])
    ended = re.match(r"Exited \((-?\d+)\)", item["Status"])
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
        parts=read_parts(labels.get(PARTS_LABEL, "")),
        image=item["ImageID"],
        ports=tuple(sorted(ports)),
        addresses=tuple(sorted(_addresses(item))),
        exit_code=int(ended[1]) if ended else None,
        task=TASK_LABEL in labels,
        scratch=DRILL_LABEL in labels or COPY_LABEL in labels,
    )


def _addresses(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, joined in ((item.get("NetworkSettings") or {}).get("Networks") or {}).items():
        if joined and joined.get("IPAddress"):
            yield name, joined["IPAddress"]


def read_parts(label: str) -> tuple[tuple[str, str], ...]:
    """Return the files that an image was built from, with their hashes, as its label has them."""
    try:
        return tuple((str(name), str(value)) for name, value in json.loads(label or "{}").items())
    except (ValueError, AttributeError):
        return ()
