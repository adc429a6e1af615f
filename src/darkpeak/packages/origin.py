"""Where an installed package comes from: the Dockerfile, the base image, or what needs it. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from darkpeak.packages.installed import Installed, Package

APT, INSTALL = re.compile(r"apt|apt-get|aptitude"), "install"
SEPARATOR, END = re.compile(r"&&|\|\||[;|&]"), ";"
VARIABLE = re.compile(r"\w+=")
WORD = re.compile(r"([a-z0-9][a-z0-9+.-]*)(:[a-z0-9]+)?(=\S+|/\S+)?")
BASE = ("apt", "ca-certificates")  # of Debian's own base images, besides the basic packages


@dataclass(frozen=True)
class Origin:
    """Why a package is installed."""

    line: int = 0  # of the Dockerfile, if that asks for it
    chain: tuple[str, ...] = ()  # from a package that the Dockerfile asks for to this one, if it is a dependency
    base: bool = False  # it is of the base image


def find_origin(installed: Installed, package: str, dockerfile: str) -> Origin:
    """Return where an installed package comes from; an empty origin if that cannot be seen."""
    asked = asked_for(dockerfile)
    if package in asked:
        return Origin(line=asked[package])
    needs = Needs(installed.packages)
    if package in needs.all_of([*(item.name for item in installed.packages if item.basic), *BASE]):
        return Origin(base=True)
    return Origin(chain=needs.chain(asked, package))


def asked_for(dockerfile: str) -> dict[str, int]:
    """Return the packages that a Dockerfile installs by name, with the line of each."""
    found: dict[str, int] = {}
    command: list[tuple[str, int]] = []
    for word, line in [*_words(dockerfile), (END, 0)]:
        if word != END:
            command.append((word, line))
            continue
        for name, at in _installed_by(command):
            found.setdefault(name, at)
        command = []
    return found


def _words(dockerfile: str) -> Iterator[tuple[str, int]]:
    """Yield each word with its line, and END where a command ends; Docker skips comments, also between two lines."""
    for number, text in enumerate(dockerfile.splitlines(), 1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        continued = line.endswith("\\")
        for word in SEPARATOR.sub(f" {END} ", line.removesuffix("\\")).split():
            yield word, number
        if not continued:
            yield END, number


def _installed_by(command: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Yield the packages that one command installs, each with its line."""
    words = [word for word, _ in command if word.upper() != "RUN" and not VARIABLE.match(word)]
    if not words or not APT.fullmatch(words[0]) or INSTALL not in words:
        return
    for word, line in command[[word for word, _ in command].index(INSTALL) + 1 :]:
        if match := WORD.fullmatch(word):
            yield match[1], line


class Needs:
    """Which installed packages need which others."""

    def __init__(self, packages: Iterable[Package]) -> None:
        by_name = {item.name: item for item in packages}
        offered: dict[str, list[str]] = {}
        for item in by_name.values():
            for name in (item.name, *item.provides):
                offered.setdefault(name, []).append(item.name)
        self._needs: Mapping[str, list[str]] = {
            name: [there for wanted in item.depends for there in offered.get(wanted, ())]
            for name, item in by_name.items()
        }

    def all_of(self, names: Iterable[str]) -> set[str]:
        """Return these packages with all that they need."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self._needs and name not in found:
                found.add(name)
                waiting += self._needs[name]
        return found

    def chain(self, starts: Iterable[str], goal: str) -> tuple[str, ...]:
        """Return the shortest chain of needs from one of some packages to another; empty if there is none."""
        before: dict[str, str] = {name: "" for name in starts if name in self._needs}
        waiting = list(before)
        for name in waiting:
            if name == goal:
                break
            for needed in self._needs.get(name, ()):
                if needed not in before:
                    before[needed] = name
                    waiting.append(needed)
        return tuple(_back(before, goal)) if goal in before else ()


def _back(before: Mapping[str, str], goal: str) -> list[str]:
    chain = [goal]
    while before[chain[0]]:
        chain.insert(0, before[chain[0]])
    return chain
