"""A service as a stack of a swarm: what `docker compose config` makes of its files, as `docker stack deploy` reads it.

Nothing is lost in silence: a key that a stack cannot keep is a finding before anything is touched (lint/stacks.py), and
here an error. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkpeak.collective.model import Service
from darkpeak.collective.stacks import CHANGED, KEPT, LOST, NETWORK_KEYS, is_pinned
from darkpeak.errors import UsageError
from darkpeak.vocabulary import CONTENT_LABEL, DATA_LABEL, PARTS_LABEL, PROJECT_LABEL

VERSION = "3.9"  # the newest that every engine since 20.10 reads
# An overlay's packets travel inside others, so they must be smaller than the link's; WireGuard's have 1420.
MTU = "1300"
START_FIRST, STOP_FIRST = "start-first", "stop-first"
CONDITIONS = {"no": "none", "always": "any", "unless-stopped": "any"}  # words of `restart`
MARK = "stack"  # in the place of compose's hash of the configuration


@dataclass(frozen=True)
class Built:
    """The image of a container: by its id, the same on all nodes; and what it was built from."""

    id: str
    content: str = ""
    parts: str = ""


def make_stack(service: Service, resolved: Mapping[str, Any], images: Mapping[str, Built]) -> dict[str, Any]:
    """Return the stack of a service.

    Its containers have compose's own labels, so that the service's scripts find them where they run.

    Raises:
        UsageError: for a key that a stack cannot keep.
    """
    pinned = {container.name for container in service.containers if is_pinned(container)}
    containers = {
        name: _container(service, name, written, images[name], pinned=name in pinned)
        for name, written in resolved["services"].items()
    }
    volumes = {name: _volume(service, name, one or {}) for name, one in (resolved.get("volumes") or {}).items()}
    networks = {name: _network(one or {}) for name, one in (resolved.get("networks") or {}).items()}
    used = {name for one in containers.values() for name in one["networks"]}
    kept = {name: networks.get(name, _network({"name": f"{service.project}_{name}"})) for name in sorted(used)}
    return {"version": VERSION, "services": containers, "networks": kept, "volumes": volumes}


def _container(
    service: Service, name: str, written: Mapping[str, Any], image: Built, *, pinned: bool
) -> dict[str, Any]:
    unknown = sorted(key for key in written if key not in {*KEPT, *CHANGED, *LOST})
    joined = written.get("networks") or {"default": None}
    unknown += sorted({key for one in joined.values() for key in one or {}} - NETWORK_KEYS)
    if unknown:
        what = f"{name} has {', '.join(unknown)}, which a stack cannot keep"
        raise UsageError(what, where=str(service.at), hint=f"see more: darkpeak lint {service.name}")
    kept = {key: value for key, value in written.items() if key in KEPT and value not in (None, {}, [])}
    labels = {**(written.get("labels") or {}), **_labels(service, name, image)}
    return {
        **kept,
        "image": image.id,
        "networks": dict(joined),
        "labels": labels,
        "deploy": _deploy(written, pinned=pinned),
    }


def _labels(service: Service, name: str, image: Built) -> dict[str, str]:
    return {
        PROJECT_LABEL: service.project,
        "com.docker.compose.service": name,
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.config-hash": MARK,
        CONTENT_LABEL: image.content,
        PARTS_LABEL: image.parts.replace("$", "$$"),
    }


def _deploy(written: Mapping[str, Any], *, pinned: bool) -> dict[str, Any]:
    """Return how the swarm runs a container: as it is written, and in what is not written so that nobody notices."""
    deploy = dict(written.get("deploy") or {})
    order = STOP_FIRST if pinned else START_FIRST  # two programs must not write into one volume
    deploy["endpoint_mode"] = "dnsrr"  # a name leads to the tasks themselves: the kernel needs no IPVS
    deploy["update_config"] = {"order": order, "failure_action": "rollback", **(deploy.get("update_config") or {})}
    deploy["rollback_config"] = {"order": order, **(deploy.get("rollback_config") or {})}
    if "restart_policy" not in deploy:
        word, _, attempts = str(written.get("restart", "always")).partition(":")
        policy: dict[str, Any] = {"condition": CONDITIONS.get(word, word)}
        deploy["restart_policy"] = policy | ({"max_attempts": int(attempts)} if attempts else {})
    limits, reserved = _resources(written, deploy.get("resources") or {})
    deploy["resources"] = {key: value for key, value in (("limits", limits), ("reservations", reserved)) if value}
    if pinned:
        placement = dict(deploy.get("placement") or {})
        placement["constraints"] = [*(placement.get("constraints") or ()), f"node.labels.{DATA_LABEL} == true"]
        deploy["placement"] = placement
    return {key: value for key, value in deploy.items() if value not in (None, {}, [])}


def _resources(written: Mapping[str, Any], deploy: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    own = (("mem_limit", "memory", str), ("cpus", "cpus", str), ("pids_limit", "pids", int))
    limits = {name: form(written[key]) for key, name, form in own if written.get(key)}
    limits |= {key: value if key == "pids" else str(value) for key, value in (deploy.get("limits") or {}).items()}
    reserved = {"memory": str(written["mem_reservation"])} if written.get("mem_reservation") else {}
    reserved |= {key: str(value) for key, value in (deploy.get("reservations") or {}).items()}
    return limits, reserved


def _volume(service: Service, name: str, written: Mapping[str, Any]) -> dict[str, Any]:
    if written.get("external"):
        return {"name": written.get("name", name), "external": True}
    labels = {**(written.get("labels") or {}), PROJECT_LABEL: service.project, "com.docker.compose.volume": name}
    return {**written, "labels": labels}


def _network(written: Mapping[str, Any]) -> dict[str, Any]:
    options = {"com.docker.network.driver.mtu": MTU, **(written.get("driver_opts") or {})}
    kept = {key: value for key, value in written.items() if key in ("name", "internal", "labels") and value}
    pools = [{"subnet": pool["subnet"]} for pool in (written.get("ipam") or {}).get("config") or () if "subnet" in pool]
    # (compose's `ipam: {}` has no pool; the swarm then takes one of its own.)
    return {
        **kept,
        "driver": "overlay",
        "attachable": True,  # the door (plan/door.py) joins it
        "driver_opts": options,
        **({"ipam": {"config": pools}} if pools else {}),
    }


def led_ports(service: Service) -> Iterator[tuple[int, str, int]]:
    """Yield each published port, and the container and its port to which it leads."""
    for container in service.containers:
        for port in container.ports:
            for index, number in enumerate(port.published):
                yield number, container.name, port.target[min(index, len(port.target) - 1)]
