"""What apt answers about installed packages, from the text of `apt-cache policy NAME…`. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

NONE = "(none)"
SECURITY = re.compile(r"/[^ /]*-security/|\S+-security(/| )")
HEADING = re.compile(r"^([a-z0-9][a-z0-9+.:-]*):$")
VERSION = re.compile(r"^ (\*\*\*|   ) (\S+) (-?\d+)$")
SOURCE = re.compile(r"^\s+-?\d+ (\S.*)$")


class NoAnswer(Exception):
    """apt's answer lacks a package."""


@dataclass(frozen=True, order=True)
class Newer:
    """A package of which apt has a newer version."""

    package: str
    old: str
    new: str
    security: bool  # whether a security archive has a version that is newer than the installed one


@dataclass(frozen=True)
class _Version:
    """A version that apt knows."""

    version: str
    priority: int
    installed: bool
    security: bool = False  # whether a security archive has it


@dataclass
class _Block:
    """The part of the answer about one package; its versions begin with the newest."""

    installed: str = ""
    candidate: str = ""
    versions: tuple[_Version, ...] = ()

    def add_source(self, source: str) -> None:
        """Add a source of the version that was added last."""
        if self.versions and SECURITY.search(source):
            self.versions = (*self.versions[:-1], replace(self.versions[-1], security=True))

    @property
    def newer(self) -> tuple[_Version, ...]:
        """The versions before the installed one; also one with the same name but other content."""
        return tuple(takewhile(lambda item: not item.installed, self.versions))

    @property
    def has_update(self) -> bool:
        """Whether apt would take a newer version; a pin may name an older one, which is no update."""
        same = [item for item in self.versions if item.version == self.candidate]
        best = max(same, key=lambda item: item.priority, default=None)  # the first one of several
        return best is not None and best in self.newer


def read_policy(text: str, names: Sequence[str]) -> Iterator[Newer]:
    """Yield the packages among `names` of which apt has a newer version, sorted by name.

    Raises:
        NoAnswer: when the answer lacks one of the names.
    """
    blocks = _read(text)
    for name in sorted(names):
        block = blocks.get(name)
        if block is None or block.installed in ("", NONE) or not block.candidate:
            raise NoAnswer(f"apt did not answer for {name}")
        if block.has_update:
            security = any(item.security for item in block.newer)
            yield Newer(name, block.installed, block.candidate, security)


def _read(text: str) -> dict[str, _Block]:
    blocks: dict[str, _Block] = {}
    block = _Block()
    for line in text.splitlines():
        if heading := HEADING.match(line):
            block = blocks.setdefault(heading[1], _Block())
        elif line.startswith("  Installed: "):
            block.installed = line.split()[1]
        elif line.startswith("  Candidate: "):
            block.candidate = line.split()[1]
        elif version := VERSION.match(line):
            found = _Version(version[2], int(version[3]), installed=version[1] == "***")
            block.versions = (*block.versions, found)
        elif source := SOURCE.match(line):
            block.add_source(source[1])
    return blocks
