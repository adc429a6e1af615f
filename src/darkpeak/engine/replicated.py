"""The containers of stacks, as the engine's lists of services and tasks describe them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darkpeak.engine.api import Api
from darkpeak.engine.running import CONTAINER_LABEL, read_parts
from darkpeak.plan.observed import Replicated
from darkpeak.vocabulary import CONTENT_LABEL, DOOR_LABEL, PARTS_LABEL, PROJECT_LABEL

STACK_LABEL = "com.docker.stack.namespace"
ENDED = ("failed", "rejected")
NO_MANAGER = "make it the manager of a swarm: darkpeak host join"


def read_stacks(api: Api) -> tuple[tuple[Replicated, ...], tuple[tuple[str, str], ...]]:
    """Return the containers of stacks that a manager runs, and the doors on it."""
    running = api.get("containers/json", filters={"label": [DOOR_LABEL]})
    return read_replicated(api.get("services"), api.get("tasks")), read_doors(running)


def read_replicated(
    services: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]
) -> tuple[Replicated, ...]:
    """Return the containers of stacks, sorted, from the engine's lists of services and tasks."""
    by_service: dict[str, list[Mapping[str, Any]]] = {}
    for task in tasks:
        by_service.setdefault(task["ServiceID"], []).append(task)
    found = [_replicated(item, by_service.get(item["ID"], ())) for item in services if _is_ours(item)]
    return tuple(sorted(found, key=lambda item: (item.project, item.container)))


def _is_ours(service: Mapping[str, Any]) -> bool:
    labels = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Labels") or {}
    return STACK_LABEL in (service["Spec"].get("Labels") or {}) and CONTAINER_LABEL in labels


def _replicated(service: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> Replicated:
    spec = service["Spec"]
    own = spec["TaskTemplate"]["ContainerSpec"]
    labels = own["Labels"]
    current = [task for task in tasks if _mark(task["Spec"]["ContainerSpec"]) == _mark(own)]
    ready = [task for task in current if task["Status"]["State"] == "running" and task["DesiredState"] == "running"]
    failed = [task for task in tasks if task["Status"]["State"] in ENDED]
    newest = max(failed, key=lambda task: str(task["Status"]["Timestamp"]), default=None)
    replicated = (spec.get("Mode") or {}).get("Replicated") or {}
    return Replicated(
        project=labels[PROJECT_LABEL],
        container=labels[CONTAINER_LABEL],
        service=service["ID"],
        image=own["Image"],
        content=labels.get(CONTENT_LABEL, ""),
        parts=read_parts(labels.get(PARTS_LABEL, "")),
        wanted=int(replicated.get("Replicas", 1)),
        ready=len(ready),
        updating=(service.get("UpdateStatus") or {}).get("State", ""),
        failures=sum(task["Status"]["State"] in ENDED for task in current),
        fault=_fault(newest) if newest else "",
        failed_task=newest["ID"] if newest else "",
    )


def _mark(container: Mapping[str, Any]) -> tuple[str, str]:
    return container["Image"], (container.get("Labels") or {}).get(CONTENT_LABEL, "")


def _fault(task: Mapping[str, Any]) -> str:
    status = task["Status"]
    return str(status.get("Err") or status.get("Message") or status["State"])


def read_doors(containers: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return the project and the hash of each door among running containers."""
    doors = (item["Labels"] for item in containers if DOOR_LABEL in item["Labels"])
    return tuple(sorted((labels[DOOR_LABEL], labels.get(f"{DOOR_LABEL}.hash", "")) for labels in doors))
