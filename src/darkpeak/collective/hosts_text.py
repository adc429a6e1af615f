"""The text of collective.toml with other services or nodes of a host; comments and line breaks stay. Pure."""

from collections.abc import Sequence
from typing import Any

import tomlkit


def with_home(text: str, service: str, host: str) -> str:
    """Return the text with a service assigned to another host, and to no other."""
    document = tomlkit.parse(text)
    for values in _hosts(document).values():
        services = values.get("services", [])
        if service in services:
            services.remove(service)
    _append(_hosts(document)[host], "services", service)
    return tomlkit.dumps(document)


def with_nodes(text: str, host: str, nodes: Sequence[str]) -> str:
    """Return the text in which a host has these nodes."""
    document = tomlkit.parse(text)
    values = _hosts(document)[host]
    known = list(values.get("nodes", []))
    for node in known:
        if node not in nodes:
            values["nodes"].remove(node)
    for node in nodes:
        if node not in known:
            _append(values, "nodes", node)
    if not nodes:
        values.pop("nodes", None)
    return tomlkit.dumps(document)


def _hosts(document: tomlkit.TOMLDocument) -> dict[str, Any]:
    hosts: Any = document["hosts"]
    return dict(hosts)


def _append(values: Any, key: str, item: str) -> None:
    if key in values:
        values[key].append(item)
    else:
        values[key] = [item]
