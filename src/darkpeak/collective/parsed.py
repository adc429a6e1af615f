"""Parse YAML into values with their lines. Pure."""

from dataclasses import replace
from typing import Any

import yaml

from darkpeak.collective.limits import require_characters, require_limits
from darkpeak.collective.text import NotReadable
from darkpeak.collective.tree import EMPTY, OVERRIDE, RESET, Tree

FIX = "fix the YAML here or just above"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, if the wheel has it: 20 times faster


def parse(text: str) -> Tree:
    """Parse one YAML document.

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
