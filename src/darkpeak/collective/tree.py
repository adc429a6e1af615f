"""YAML and TOML as values with their lines, so that every finding can name file:line."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import yaml

from darkpeak.collective.limits import CLOSE, DEEPEST, TOO_DEEP, require_characters, require_limits
from darkpeak.collective.text import NotReadable

LONGEST_LINE = 4096  # of TOML
FIX = "fix the YAML here or just above"
RESET, OVERRIDE = "!reset", "!override"  # compose's: forget what earlier files say here, and this, or only that
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, if the wheel has it: 20 times faster


@dataclass(frozen=True)
class Tree:
    """A YAML value and its line, counted from 1. Scalars stay as written: `010` is not 8, `22:22` is not 1342."""

    value: "str | list[Tree] | dict[str, Tree] | None"
    line: int
    key_lines: "tuple[tuple[str, int], ...]" = ()
    tag: str = ""  # one of RESET and OVERRIDE

    def mapping(self) -> "dict[str, Tree]":
        """Return the entries of a mapping; none for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> "list[Tree]":
        """Return the items of a sequence; none for any other value."""
        return self.value if isinstance(self.value, list) else []

    def text(self) -> str:
        """Return a scalar as written; empty for any other value."""
        return self.value if isinstance(self.value, str) else ""

    @cached_property
    def _lines(self) -> dict[str, int]:
        return dict(self.key_lines)

    def key_line(self, key: str) -> int:
        """Return the line of a key, or of the mapping if it has no such key."""
        return self._lines.get(key, self.line)

    def plain(self) -> object:
        """Return the value without lines, for hashing."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


EMPTY = Tree({}, 1)


def keys_at(tree: Tree, line: int) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each key on a line, or to a list with an item there."""
    for key, value in tree.mapping().items():
        if tree.key_line(key) == line:
            yield (key,)
        yield from ((key, *below) for below in keys_at(value, line))
    if any(item.line == line or next(keys_at(item, line), None) is not None for item in tree.items()):
        yield ()


def tagged(tree: Tree, *tags: str) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each value with one of these tags."""
    for key, value in tree.mapping().items():
        if value.tag in tags:
            yield (key,)
        yield from ((key, *below) for below in tagged(value, *tags))


@lru_cache(maxsize=4096)
def read_yaml(text: str) -> Tree:
    """Parse one YAML document. One text is parsed once, since several rooms need it.

    Raises:
        NotReadable: for text that is not YAML, that has one key twice, or that is too large or too deep.
    """
    require_characters(text)
    try:
        require_limits(yaml.parse(text, Loader=LOADER))
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadable(str(error.problem or error.context), mark.line + 1 if mark else 1, FIX) from error
    except yaml.YAMLError as error:
        raise NotReadable(str(error).splitlines()[0], 1, FIX) from error
    return EMPTY if node is None else _tree(node)


def read_mapping(text: str) -> Tree:
    """Parse one YAML document of keys and values; an empty one has none.

    Raises:
        NotReadable: for text that is something else.
    """
    tree = read_yaml(text)
    if not isinstance(tree.value, dict):
        raise NotReadable("the file is not a mapping", tree.line, "write key: value lines")
    return tree


def _tree(node: yaml.Node) -> Tree:
    found = _value(node)
    return replace(found, tag=node.tag) if node.tag in {RESET, OVERRIDE} else found


def _value(node: yaml.Node) -> Tree:
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
            raise NotReadable("a key must be a plain word", key.start_mark.line + 1, FIX)
        if key.value in lines:
            raise NotReadable(f"duplicate key {key.value!r}", key.start_mark.line + 1, FIX)
        lines[key.value] = key.start_mark.line + 1
        if key.tag.endswith(":merge"):
            merged = _merged(child, lines[key.value])
            continue
        if not _is_text(key):
            raise NotReadable(
                f"the key {key.value} must be in quotes; otherwise compose refuses the file",
                key.start_mark.line + 1,
                FIX,
            )
        entries[key.value] = _tree(child)
    return Tree(merged | entries, line, tuple(lines.items()))


def _is_text(key: yaml.ScalarNode) -> bool:
    """Return whether compose takes a key for text: unlike YAML 1.1, it does so with `on`, `yes` and `22:22`."""
    kind = key.tag.rpartition(":")[2]
    if kind == "bool":
        return key.value.lower() not in {"true", "false"}
    return kind == "str" or (kind in {"int", "float"} and ":" in key.value)


def _merged(node: yaml.Node, line: int) -> dict[str, Tree]:
    """Return the entries of `<<: *one` or `<<: [*one, *other]` on a line; the first one that has a key decides."""
    merged: dict[str, Tree] = {}
    for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if not isinstance(source, yaml.MappingNode):
            hint = "write <<: *NAME, where &NAME is before a mapping"
            raise NotReadable("what << merges is not a mapping", line, hint)
        merged = _tree(source).mapping() | merged
    return merged


def read_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        NotReadable: for text that is not TOML, that has too long a line, or whose values are nested too deeply.
    """
    lines = enumerate(text.splitlines(), 1)
    long = next((number for number, line in lines if len(line) > LONGEST_LINE), None)  # tomllib would take minutes
    if long:
        raise NotReadable(f"the line has more than {LONGEST_LINE} characters", long, "write a list over several lines")
    try:
        data = tomllib.loads(text)
        _require_shallow(data)
    except RecursionError as error:
        raise NotReadable(TOO_DEEP, _deep_line(text), CLOSE) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise NotReadable(message, int(found[1]) if found else text.count("\n") + 1, "fix the TOML here") from error
    return data


def _require_shallow(data: dict[str, Any]) -> None:
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        nested = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [child for children in nested for child in children]
    if level:
        raise RecursionError


def _deep_line(text: str) -> int:
    """Return the first line that is too deep in brackets, or that has a key of very many parts."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        depth += line.count("[") + line.count("{") - line.count("]") - line.count("}")
        if max(depth, line.count("."), line.count("["), line.count("{")) > DEEPEST:
            return number
    return 1


def toml_line(text: str, *path: str) -> int:
    """Return the line of a key or a table, or else of the table that contains it (tomllib keeps no lines)."""
    found, depth = 1, 0
    for number, here in _toml_places(text):
        shared = _shared_prefix(here, path)
        if shared > depth and (shared == len(here) or shared == len(path)):
            found, depth = number, shared
    return found


@lru_cache(maxsize=4)
def _toml_places(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the line and the path of each table and key."""
    table: tuple[str, ...] = ()
    places = []
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[{1,2}([^][]+)\]", line)
        assigned = re.match(r"\s*([\w\"'.-]+)\s*=", line)
        if header:
            table = tuple(_toml_keys(header[1]))
            places.append((number, table))
        elif assigned:
            places.append((number, (*table, *_toml_keys(assigned[1]))))
    return places


def _shared_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (left, right) in pairs if left != right), min(len(one), len(other)))


def _toml_keys(written: str) -> Iterator[str]:
    for bare, single, double in re.findall(r"([\w-]+)|'([^']*)'|\"([^\"]*)\"", written):
        yield bare or single or double
