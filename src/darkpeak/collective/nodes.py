"""The text of collective.toml with other nodes of a swarm; comments stay. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

LIST = re.compile(r"(?m)^[ \t]*nodes\s*=\s*\[[^\]]*\][^\n]*\n?")


def with_nodes(text: str, host: str, nodes: Sequence[str]) -> str | None:
    """Return the text in which a host has these nodes; None if it is written in an unusual way."""
    line = f"nodes = [{', '.join(chr(34) + node + chr(34) for node in nodes)}]\n" if nodes else ""
    sections = re.split(r"(?m)^(?=\s*\[)", text)
    for index, section in enumerate(sections):
        head = re.match(r"\s*\[\s*hosts\s*\.\s*[\"']?([a-z0-9-]+)[\"']?\s*\][^\n]*\n?", section)
        if head and head[1] == host:
            rest = LIST.sub("", section[head.end() :])
            begin = head[0] if head[0].endswith("\n") else f"{head[0]}\n"
            blank = re.search(r"\n*$", rest)
            end = blank.start() if blank else len(rest)
            kept = rest[:end] + "\n" * bool(rest[:end])
            sections[index] = begin + kept + line + rest[end:].removeprefix("\n")
    changed = "".join(sections)
    return changed if _read(changed) == _with(_read(text), host, nodes) else None


def _read(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _with(data: Mapping[str, Any], host: str, nodes: Sequence[str]) -> Mapping[str, Any]:
    hosts = {name: dict(values) for name, values in data.get("hosts", {}).items()}
    own = hosts.setdefault(host, {})
    own.pop("nodes", None)
    if nodes:
        own["nodes"] = list(nodes)
    return {**data, "hosts": hosts}
