"""What the rules find only in what compose makes of the files (by `extends`, .env, …), or only in the files. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from darkpeak import lint
from darkpeak.collective.compose_errors import line_of, read_file
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.resolved import numbered
from darkpeak.collective.tree import EMPTY, keys_at
from darkpeak.lint.written import Written, written_by


def find_hidden(service: Service, resolved: Mapping[str, Any], known: Iterable[Finding]) -> list[Finding]:
    """Return what the rules find in what compose made of the files, and not in the files themselves, with its line.

    `known` is what the rules find in the files themselves.
    """
    rules = {item.rule for item in known}
    written = _written(service, resolved)
    return _placed(written, [item for item in lint.check_written(written) if item.rule not in rules])


def find_removed(service: Service, resolved: Mapping[str, Any]) -> set[Finding]:
    """Return what the rules find in the files, but only in what another file takes away (!reset, !override)."""
    still = {item.rule for item in lint.check_written(_written(service, resolved))}
    found = {
        item
        for written in written_by(service)
        if written.removed
        for item in lint.check_written(written)
        if item.rule not in still and written.is_removed(item.at.line)
    }
    return found.difference(*(of_service(service) for of_service in lint.OF_SERVICE)) if found else found


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
        replace(item, at=Place(item.at.file, line_of(source, next(keys_at(written.tree, item.at.line), ()))))
        for item in found
    ]
