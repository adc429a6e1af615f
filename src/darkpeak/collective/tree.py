"""YAML and TOML as values with their lines, so that every finding can name file:line."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, if the wheel has it: 20 times faster


@dataclass(frozen=True)
class Tree:
    """A YAML value and its line, counted from 1. Scalars stay as written: `010` is not 8, `22:22` is not 1342."""

    value: "str | list[Tree] | dict[str, Tree] | None"
    line: int
    key_lines: "tuple[tuple[str, int], ...]" = ()

    def mapping(self) -> "dict[str, Tree]":
        """Return the entries of a mapping; none for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> "list[Tree]":
        """Return the items of a sequence; none for any other value."""
        return self.value if isinstance(self.value, list) else []

    def text(self) -> str:
        """Return a scalar as written; empty for any other value."""
        return self.value if isinstance(self.value, str) else ""

    def key_line(self, key: str) -> int:
        """Return the line of a key, or of the mapping if it has no such key."""
        return dict(self.key_lines).get(key, self.line)

    def plain(self) -> object:
        """Return the value without lines, for hashing."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


EMPTY = Tree({}, 1)


class NotReadable(ValueError):
    """The text is not YAML or TOML, at this line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_yaml(text: str) -> Tree:
    """Parse one YAML document.

    Raises:
        NotReadable: for text that is not YAML, or that has one key twice.
    """
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadable(str(error.problem or error.context), mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:
        raise NotReadable(str(error).splitlines()[0], 1) from error
    return EMPTY if node is None else _tree(node)


def _tree(node: yaml.Node) -> Tree:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return Tree([_tree(child) for child in node.value], line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, line)
    return Tree(None if node.tag.endswith(":null") else node.value, line)


def _mapping(node: yaml.MappingNode, line: int) -> Tree:
    merged: dict[str, Tree] = {}
    entries: dict[str, Tree] = {}
    lines: dict[str, int] = {}
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise NotReadable("a key must be a plain word", key.start_mark.line + 1)
        if key.tag.endswith(":merge"):
            for source in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                merged = _tree(source).mapping() | merged
            continue
        if not key.tag.endswith(":str"):
            raise NotReadable(
                f"the key {key.value} must be in quotes; otherwise compose refuses the file", key.start_mark.line + 1
            )
        if key.value in entries:
            raise NotReadable(f"duplicate key {key.value!r}", key.start_mark.line + 1)
        entries[key.value] = _tree(child)
        lines[key.value] = key.start_mark.line + 1
    return Tree(merged | entries, line, tuple(lines.items()))


def read_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        NotReadable: for text that is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise NotReadable(message, int(found[1]) if found else text.count("\n") + 1) from error


def toml_line(text: str, *path: str) -> int:
    """Return the line of a key or a table, or else of the table that contains it (tomllib keeps no lines)."""
    table: tuple[str, ...] = ()
    found, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^]]+?)\s*\]+", line)
        assigned = re.match(r"\s*([\w\"'.-]+)\s*=", line)
        here: tuple[str, ...] = ()
        if header:
            here = table = tuple(_toml_keys(header[1]))
        elif assigned:
            here = (*table, *_toml_keys(assigned[1]))
        shared = _shared_prefix(here, path)
        if shared > depth and (shared == len(here) or shared == len(path)):
            found, depth = number, shared
    return found


def _shared_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (left, right) in pairs if left != right), min(len(one), len(other)))


def _toml_keys(written: str) -> Iterator[str]:
    for bare, single, double in re.findall(r"([\w-]+)|'([^']*)'|\"([^\"]*)\"", written):
        yield bare or single or double
