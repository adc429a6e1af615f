"""What the rules find only in what compose makes of the files: by `extends`, `include`, .env, variables. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from darkpeak import lint
from darkpeak.collective.compose_errors import line_of, read_file
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.resolved import numbered
from darkpeak.collective.tree import Tree
from darkpeak.lint.written import Written


def find_hidden(service: Service, resolved: Mapping[str, Any], known: Iterable[Finding]) -> list[Finding]:
    """Return what the rules find in what compose made of the files, and not in the files themselves, with its line.

    `known` is what the rules find in the files themselves.
    """
    tree = numbered(resolved, count(1))
    found = lint.check_written(Written(service, service.at.file, tree))
    rules = {item.rule for item in known}
    source = read_file(service.folder / service.files[0])
    return [
        replace(item, at=Place(item.at.file, line_of(source, _keys_at(tree, item.at.line) or ())))
        for item in found
        if item.rule not in rules
    ]


def _keys_at(tree: Tree, line: int) -> list[str] | None:
    """Return the keys that lead to a line, or to the list with an item at that line."""
    for key, value in tree.mapping().items():
        below = [] if tree.key_line(key) == line else _keys_at(value, line)
        if below is not None:
            return [key, *below]
    return [] if any(item.line == line or _keys_at(item, line) is not None for item in tree.items()) else None
