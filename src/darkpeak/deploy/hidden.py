"""What the rules find only in what compose makes of the files: by `extends`, `include`, .env, variables. Pure."""

from dataclasses import replace

from darkpeak import lint
from darkpeak.collective.compose_errors import line_of, read_file
from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.collective.tree import Tree, read_yaml
from darkpeak.lint.written import Written


def find_hidden(collective: Collective, service: Service, resolved: str) -> list[Finding]:
    """Return what the rules find in the JSON of `docker compose config`, and not in the files, with its line."""
    tree = read_yaml(resolved)
    found = lint.check_written(Written(collective, service, service.at.file, tree))
    known = {item.rule for item in lint.check(collective) if item.at.service == service.name} if found else set()
    source = read_file(service.folder / service.files[0])
    return [
        replace(item, at=Place(item.at.file, line_of(source, _keys_at(tree, item.at.line) or ())))
        for item in found
        if item.rule not in known
    ]


def _keys_at(tree: Tree, line: int) -> list[str] | None:
    """Return the keys that lead to a line, or to the list with an item at that line."""
    for key, value in tree.mapping().items():
        below = [] if tree.key_line(key) == line else _keys_at(value, line)
        if below is not None:
            return [key, *below]
    return [] if any(item.line == line or _keys_at(item, line) is not None for item in tree.items()) else None
