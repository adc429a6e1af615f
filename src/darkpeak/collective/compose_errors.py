"""Errors that compose prints, as findings with the line of the fault."""

import re
from collections.abc import Sequence
from pathlib import Path

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.text import NotReadable, read
from darkpeak.collective.tree import EMPTY, Tree, read_yaml

HINT = "see the Compose file reference: docs.docker.com/reference/compose-file"
FILE = re.compile(r"validating (?P<file>[^:]+): ")
UNKNOWN = re.compile(r"(?P<where>[\w.()-]*) ?[Aa]dditional propert(?:y|ies) '?(?P<key>[^' ]+)'? (?:is )?not allowed")
# How compose 2.20 to 2.40 names the part of the file that is wrong.
ABOUT = (
    re.compile(r"(?P<path>(?:services|networks|volumes|configs|secrets)\.[\w.-]+)"),
    re.compile(r"'(?P<path>services\[[\w.-]+\][\w.-]*)'"),
    re.compile(r'service "(?P<service>[\w.-]+)"'),
)


def explain(root: Path, folder: Path, file: str, message: str) -> Finding:
    """Return an error message of compose as a finding, with the line of the fault if that can be found."""
    named = FILE.search(message)
    path = Path(named["file"]) if named else folder / file
    rest = message[named.end() :] if named else message
    unknown = UNKNOWN.search(rest)
    if unknown:
        where = unknown["where"].removeprefix("(root)")
        keys = [*where.split("."), unknown["key"]] if where else [unknown["key"]]
        what = f"unknown key {unknown['key']}" + (f" in {where}" if where else "")
    else:
        keys, what = _keys(rest), rest.removesuffix(": invalid compose project")
    if not path.is_relative_to(folder):  # the fault is of the service that uses the file
        return Finding(Place(str((folder / file).relative_to(root)), 1), "compose", f"{path}: {what}", HINT)
    return Finding(Place(str(path.relative_to(root)), line_of(read_file(path), keys)), "compose", what, HINT)


def _keys(message: str) -> list[str]:
    """Return the keys in the file that lead to the part that a message names."""
    for pattern in ABOUT:
        found = pattern.search(message)
        if found and "path" in found.groupdict():
            return re.split(r"[.\[\]]+", found["path"])
        if found:
            return ["services", found["service"]]
    return []


def read_file(path: Path) -> Tree:
    """Return what a file says; empty if it cannot be read."""
    try:
        return read_yaml(read(path))
    except NotReadable:
        return EMPTY


def line_of(tree: Tree, keys: Sequence[str]) -> int:
    """Return the line of the last of these keys, or of the nearest key above it that exists."""
    line = tree.line
    for key in keys:
        children = tree.mapping()
        if key not in children:
            return tree.key_line(key) if key in dict(tree.key_lines) else line
        line, tree = tree.key_line(key), children[key]
    return line
