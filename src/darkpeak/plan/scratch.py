"""The compose file of a scratch project: the same containers beside the live ones, not connected to them. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from darkpeak.errors import SystemFailure
from darkpeak.vocabulary import DRILL_LABEL

RANGE = ipaddress.ip_network("10.61.0.0/16")  # beside the blocks' 10.60.0.0/16
# Keys that would connect the scratch project to something else, restart it, or name it like a live container.
LEFT_OUT = {"build", "ports", "restart", "container_name", "network_mode", "external_links", "extra_hosts", "expose"}
SHARED_SPACES = ("pid", "ipc", "uts")


def make_scratch(
    written: Mapping[str, Any],
    project: str,
    images: Mapping[str, str],
    subnets: Iterator[str],
    *,
    label: str = DRILL_LABEL,
) -> dict[str, Any]:
    """Return the compose file of the scratch project, from the live one as `docker compose config` prints it.

    No port is published. Every network is new and internal. The service's own volumes are new. Volumes of other
    services are mounted read-only.
    """
    volumes = written.get("volumes") or {}
    foreign = {name for name, volume in volumes.items() if (volume or {}).get("external")}
    networks = sorted({"default", *(written.get("networks") or {})})
    scratch = {
        "name": project,
        "services": {
            name: _service(service, images[name], foreign, label) for name, service in written["services"].items()
        },
        "networks": {name: {"internal": True, "ipam": {"config": [{"subnet": next(subnets)}]}} for name in networks},
        "volumes": {name: volumes[name] if name in foreign else {} for name in volumes},
    }
    kept = {key: written[key] for key in ("configs", "secrets") if key in written}
    return scratch | kept


def _service(service: Mapping[str, Any], image: str, foreign: set[str], label: str) -> dict[str, Any]:
    kept = {key: value for key, value in service.items() if key not in LEFT_OUT}
    mode = str(service.get("network_mode", ""))
    if mode.startswith("service:"):
        kept["network_mode"] = mode
    elif not kept.get("networks"):
        kept["networks"] = {"default": None}
    else:
        kept["networks"] = {name: _plain(joined) for name, joined in kept["networks"].items()}
    for space in SHARED_SPACES:
        if kept.get(space) == "host":
            del kept[space]
    if "blkio_config" in kept:
        kept["blkio_config"] = _small_letters(kept["blkio_config"])
    mounts = [_mount(mount, foreign) for mount in service.get("volumes") or ()]
    labels = {**(service.get("labels") or {}), label: "scratch"}
    return kept | {"image": image, "labels": labels, "pull_policy": "never", **({"volumes": mounts} if mounts else {})}


def _plain(joined: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a network's settings with the aliases only: addresses belong to the live subnet."""
    aliases = (joined or {}).get("aliases")
    return {"aliases": aliases} if aliases else None


def _small_letters(value: Any) -> Any:
    """Return a part with its keys in small letters: compose prints `Path` in JSON, where it reads only `path`."""
    if isinstance(value, list):
        return [_small_letters(item) for item in value]
    if isinstance(value, Mapping):
        return {key.lower(): _small_letters(item) for key, item in value.items()}
    return value


def _mount(mount: Mapping[str, Any], foreign: set[str]) -> dict[str, Any]:
    return {**mount, "read_only": True} if mount.get("source") in foreign else dict(mount)


def free_subnets(used: Iterable[str]) -> Iterator[str]:
    """Yield subnets that no network of the daemon uses.

    Raises:
        SystemFailure: when all are in use.
    """
    taken = [ipaddress.ip_network(subnet, strict=False) for subnet in used]
    ours = [item for item in taken if item.version == RANGE.version]
    for subnet in RANGE.subnets(new_prefix=24):
        if not any(subnet.overlaps(item) for item in ours if isinstance(item, ipaddress.IPv4Network)):
            yield str(subnet)
    raise SystemFailure(f"no subnet of {RANGE} is free for a drill", hint="on that daemon: docker network prune")
