"""Limits of a YAML file, checked before it becomes values: an alias can stand for a billion nodes, or for itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from darkpeak.collective.text import NotReadable
from darkpeak.collective.tree import CLOSE, DEEPEST, TOO_DEEP

MOST_NODES = 20_000  # keys and values; each alias counts as much as what it stands for
LARGEST_SCALAR = 100_000  # characters
# YAML allows none of the first; a NUL or half a character can also be written as an escape, "\0" or "\ud800".
FORBIDDEN = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
UNUSABLE = re.compile("[\0\ud800-\udfff]")
STANDARD = "tag:yaml.org,2002:"
# The others change a value as only compose knows, or are no part of compose.
PLAIN = ("bool", "float", "int", "map", "null", "seq", "str")
TAGS = {None, "!", "!reset", "!override", *(STANDARD + name for name in PLAIN)}


@dataclass
class Part:
    """A list or a mapping, or what an anchor stands for."""

    before: int  # nodes before it
    depth: int  # of what contains it
    deepest: int
    anchor: str | None = None
    nodes: int = 0  # in it; 0 while its end is not reached


def require_characters(text: str) -> None:
    """Raise an error if a text has characters that no YAML file may contain.

    Raises:
        NotReadable: with the line of the first one.
    """
    found = FORBIDDEN.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise NotReadable(f"the file contains the character U+{ord(found[0]):04X}", line, "save it as UTF-8 text")


def require_limits(events: Iterable[yaml.Event]) -> None:
    """Raise an error if the events are not those of one document of a usual size.

    Raises:
        NotReadable: with the line on which a limit is passed.
    """
    counter = Counter()
    for event in events:
        mark = event.start_mark
        counter.add(event, mark.line + 1 if mark else 1)


class Counter:
    """Counts the nodes of a document and their depth, with what aliases stand for; it keeps no values."""

    def __init__(self) -> None:
        self.documents = self.nodes = 0
        self.open: list[Part] = []
        self.anchors: dict[str, Part] = {}

    def add(self, event: yaml.Event, line: int) -> None:
        """Count one event.

        Raises:
            NotReadable: when a limit is passed.
        """
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise NotReadable("a second document begins here", line, "keep one document in the file")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(self.open.pop())
        elif isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor), line)
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            part = Part(self.nodes, len(self.open), len(self.open) + 1, event.anchor)
            self._node(event, line)
            if event.anchor in self.anchors:  # YAML allows it, and each alias means the nearest above; libyaml does not
                raise NotReadable(f"the anchor &{event.anchor} is there twice", line, "give one of them another name")
            if event.anchor:
                self.anchors[event.anchor] = part
            if isinstance(event, yaml.CollectionStartEvent):
                self.open.append(part)
            else:
                self._close(part)

    def _node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> None:
        if event.tag not in TAGS:
            shown = str(event.tag).replace(STANDARD, "!!")[:50]
            raise NotReadable(f"the tag {shown} cannot be used", line, "write the value without it")
        if isinstance(event, yaml.ScalarEvent) and UNUSABLE.search(event.value):
            raise NotReadable("the text contains a NUL or half a character", line, "remove the escape")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LARGEST_SCALAR:
            raise NotReadable(
                f"the text has more than {LARGEST_SCALAR} characters", line, "keep it in a file of its own"
            )
        self._grow(1, len(self.open) + 1, line)

    def _alias(self, anchor: str, line: int) -> None:
        part = self.anchors.get(anchor)
        if part is None:
            raise NotReadable(f"there is no anchor &{anchor} above this line", line, "write it, or fix the name")
        if not part.nodes:
            hint = "check the indentation: it must be outside of what it names"
            raise NotReadable(f"*{anchor} is inside &{anchor}, so it would contain itself", line, hint)
        deepest = len(self.open) + part.deepest - part.depth
        self._grow(part.nodes, deepest, line)
        if self.open:
            self.open[-1].deepest = max(self.open[-1].deepest, deepest)

    def _close(self, part: Part) -> None:
        part.nodes = self.nodes - part.before
        if self.open:
            self.open[-1].deepest = max(self.open[-1].deepest, part.deepest)

    def _grow(self, nodes: int, deepest: int, line: int) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            what = f"the file has more than {MOST_NODES} values, with what its aliases stand for"
            raise NotReadable(what, line, "remove aliases, or split the service")
        if deepest > DEEPEST:
            raise NotReadable(TOO_DEEP, line, CLOSE)
