"""What the rules find only in what compose makes of the files: by `extends`, `include`, .env, variables. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from darkpeak import lint
from darkpeak.collective.compose_errors import line_of, read_file
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.resolved import numbered
from darkpeak.collective.tree import EMPTY, Tree
from darkpeak.lint.written import Written


def find_hidden(service: Service, resolved: Mapping[str, Any], known: Iterable[Finding]) -> list[Finding]:
    """Return what the rules find in what compose made of the files, and not in the files themselves, with its line.

    `known` is what the rules find in the files themselves.
    """
    rules = {item.rule for item in known}
    written = _written(service, resolved)
    return _placed(written, [item for item in lint.check_written(written) if item.rule not in rules])


def find_missing(service: Service, resolved: Mapping[str, Any]) -> list[Finding]:
    """Return the findings about what no file of a service has, by what compose made of all of them."""
    written = _written(service, resolved)
    return _placed(written, lint.check_whole(written))


def _written(service: Service, resolved: Mapping[str, Any]) -> Written:
    return Written(service, service.at.file, numbered(resolved, count(1)))


def _placed(written: Written, found: list[Finding]) -> list[Finding]:
    """Return findings in what compose made of the files, with their lines in the main file."""
    source = read_file(written.service.folder / written.service.files[0]) if found else EMPTY
    return [
        replace(item, at=Place(item.at.file, line_of(source, _keys_at(written.tree, item.at.line) or ())))
        for item in found
    ]


def _keys_at(tree: Tree, line: int) -> list[str] | None:
    """Return the keys that lead to a line, or to the list with an item at that line."""
    for key, value in tree.mapping().items():
        below = [] if tree.key_line(key) == line else _keys_at(value, line)
        if below is not None:
            return [key, *below]
    return [] if any(item.line == line or _keys_at(item, line) is not None for item in tree.items()) else None
