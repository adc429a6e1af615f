"""YAML and TOML as values with their lines, so that every finding can name file:line."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from darkpeak.collective.text import NotReadable

DEEPEST = 100  # of values in values
TOO_DEEP = f"values are nested more than {DEEPEST} deep"
CLOSE = "look for brackets that do not close"
LONGEST_LINE = 4096  # of TOML
RESET, OVERRIDE = "!reset", "!override"  # compose's: forget what earlier files say here, and this, or only that


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
    from darkpeak.collective.parsed import parse  # what was read before is remembered, so most commands parse nothing

    return parse(text)


def read_mapping(text: str) -> Tree:
    """Parse one YAML document of keys and values; an empty one has none.

    Raises:
        NotReadable: for text that is something else.
    """
    tree = read_yaml(text)
    if not isinstance(tree.value, dict):
        raise NotReadable("the file is not a mapping", tree.line, "write key: value lines")
    return tree


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
