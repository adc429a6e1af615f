"""The compose files of a service, as they are written: for rules about keys that the model does not have."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.text import NotReadable, read
from darkpeak.collective.tree import EMPTY, OVERRIDE, RESET, Tree, keys_at, read_yaml, tagged
from darkpeak.vocabulary import COMPOSE_FILE

ESCAPE = "\\"  # with it, YAML can write a key in other characters
OFF = {"", "false", "no", "off", "n", "0"}


@dataclass(frozen=True)
class Written:
    """One compose file of a service, or what compose made of all of them."""

    service: Service
    file: str
    tree: Tree
    removed: tuple[tuple[str, ...], ...] = ()  # keys that compose forgets: this file, or a later one, says so

    @property
    def is_main(self) -> bool:
        """Whether it is docker-compose.yml."""
        return self.file.endswith(f"/{COMPOSE_FILE}")

    def section(self, name: str) -> Iterator[tuple[str, Tree]]:
        """Yield the entries of a section, such as services or volumes."""
        yield from self.tree.mapping().get(name, EMPTY).mapping().items()

    def containers(self) -> Iterator[tuple[str, Tree]]:
        """Yield the name of each container, and what is written about it."""
        yield from self.section("services")

    def finding(self, line: int, rule: str, what: str, hint: str) -> Finding:
        """Return a finding in this file."""
        return Finding(Place(self.file, line), rule, what, hint)

    def is_removed(self, line: int) -> bool:
        """Return whether compose forgets a key on this line."""
        return any(keys[: len(one)] == one for keys in keys_at(self.tree, line) for one in self.removed)

    def is_outside(self, path: str) -> bool:
        """Return whether a path leads out of the service's folder, also by a link or by a variable."""
        if path.startswith("~") or "$" in path:
            return True
        folder = Path(os.path.realpath(self.service.folder))
        return not Path(os.path.realpath(folder / path)).is_relative_to(folder)


def written_by(service: Service, key: str = "") -> Iterator[Written]:
    """Yield the compose files of a service, or those that may have a key somewhere.

    `collective.read` has a finding about one that cannot be read.
    """
    folder = service.at.file.rpartition("/")[0]
    trees = {name: _read(service.folder / name, key) for name in service.files}
    for number, (name, tree) in enumerate(trees.items()):
        later = (keys for other in (*trees.values(),)[number + 1 :] for keys in tagged(other, RESET, OVERRIDE))
        if tree is not EMPTY:
            yield Written(service, f"{folder}/{name}", tree, (*tagged(tree, RESET), *later))
    for override in service.overrides:
        tree = _read(service.folder / override.file, key)
        if tree is not EMPTY:
            yield Written(service, f"{folder}/{override.file}", tree, tuple(tagged(tree, RESET)))


def _read(path: Path, key: str) -> Tree:
    try:
        text = read(path)
        return read_yaml(text) if key in text or ESCAPE in text else EMPTY
    except NotReadable:
        return EMPTY


def child(tree: Tree, key: str) -> Tree:
    """Return the value of a key; empty if there is no such key."""
    return tree.mapping().get(key, EMPTY)


def items(tree: Tree, key: str) -> list[Tree]:
    """Return the items of a list; one value counts as a list."""
    value = child(tree, key)
    return value.items() or ([value] if value.text() else [])


def is_on(tree: Tree, key: str) -> bool:
    """Return whether a switch is on; one with a variable may be."""
    return child(tree, key).text().lower() not in OFF


def pairs(tree: Tree, key: str) -> Iterator[tuple[str, str, int]]:
    """Yield name, value and line of variables, which are written as a mapping or as a list of NAME=VALUE."""
    value = child(tree, key)
    for name, entry in value.mapping().items():
        yield name, entry.text(), value.key_line(name)
    for entry in value.items():
        name, _, text = entry.text().partition("=")
        yield name, text, entry.line
