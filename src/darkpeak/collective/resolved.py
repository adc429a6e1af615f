"""What compose makes of a service's files together: overlays, includes, extended files, environment files, variables.

Compose itself is asked, and its answer is read like a file, with the lines of the file that people wrote.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from os.path import normpath, relpath
from pathlib import Path
from typing import Any

from darkpeak.collective.text import Missing, NotReadable, read_bytes
from darkpeak.collective.tree import EMPTY, Tree, read_mapping

# Plain compose merges the first of these that exists, whatever the compose file's own name is.
OVERLAYS = tuple(f"{name}.override.{ending}" for name in ("compose", "docker-compose") for ending in ("yml", "yaml"))
ENVIRONMENT = ".env"
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# A file that compose would fetch from another machine.
REMOTE = re.compile(r"^(?:git@|github\.com/|(?:https?|ssh|git|oci):/)|\.git(?:#|$)")
ELSEWHERE = ("$", ":/", "/~")  # in the name of a file: we do not know what compose reads
SECTIONS = ("name", "services", "networks", "volumes", "configs", "secrets")
FOLDER, ROOT = "@folder@", "@root@"  # in kept answers, which are the same in every clone


class NamedNotReadable(NotReadable):
    """What is wrong with a file that compose would read, and the file. Compose is not asked: it could wait for ever."""

    def __init__(self, path: Path, error: NotReadable) -> None:
        super().__init__(str(error), error.line, error.hint)
        self.path = path


@dataclass(frozen=True)
class Question:
    """The compose files of one service, and what decides how compose reads them."""

    folder: Path
    files: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]  # the collective's own
    digest: str  # of all that compose reads; empty if only compose knows what that is
    words: frozenset[str] = frozenset()  # in the files that compose reads: each may name a variable of the shell
    reads: tuple[Path, ...] = ()  # the files that compose reads


# Returns what `docker compose config` prints, as data (nothing without compose), or the error that it prints.
Resolve = Callable[[Question], dict[str, Any] | str]


def overlay_of(folder: Path) -> str:
    """Return the name of the file that plain compose merges into a service's compose file; empty if there is none."""
    return next((name for name in OVERLAYS if (folder / name).exists()), "")


def question(
    folder: Path, files: tuple[str, ...], variables: Mapping[str, str], environment: Mapping[str, str]
) -> Question:
    """Return the question for compose.

    Raises:
        NamedNotReadable: for a file that is there, but cannot be read; compose itself says that one is missing.
    """
    read = dict(_files_read(folder, [folder / name for name in files]))
    _require_here(folder, files[0], read)
    if any(mark in str(path) for path in read for mark in ELSEWHERE):
        return Question(folder, files, tuple(variables.items()), "", reads=tuple(read))
    # A variable of the shell can be used as ${NAME}, or be passed on by its name alone.
    words = frozenset(name for text in read.values() for name in NAME.findall(text)) - set(variables)
    parts = [*sorted(variables.items()), *sorted(from_shell(words, environment).items())]
    parts += [(relpath(path, folder), text) for path, text in sorted(read.items())]
    digest = hashlib.sha256(repr((folder.name, files, parts)).encode()).hexdigest()
    return Question(folder, files, tuple(variables.items()), digest, words, tuple(read))


def from_shell(words: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the shell that are among these words, with their values."""
    return {name: environment[name] for name in words if name in environment}


def without_folder(text: str, folder: Path) -> str:
    """Return an answer of compose as it is kept, for every clone of the collective."""
    return text.replace(str(folder), FOLDER).replace(str(folder.parents[1]), ROOT)


def with_folder(text: str, folder: Path) -> str:
    """Return a kept answer as compose would give it here."""
    return text.replace(FOLDER, str(folder)).replace(ROOT, str(folder.parents[1]))


def merged(own: Tree, answer: Mapping[str, Any]) -> Tree:
    """Return a parsed compose file in which what compose made of all files is in the place of what is written."""
    entries = {key: entry for key, entry in own.mapping().items() if key not in SECTIONS}
    resolved = {key: _tree(answer[key], own.mapping().get(key, EMPTY), own.line) for key in SECTIONS if key in answer}
    return Tree(entries | resolved, own.line, own.key_lines)


def numbered(value: object, count: Iterator[int]) -> Tree:
    """Return data as a tree in which each key and each item has a line number of its own, from `count`."""
    line = next(count)
    if isinstance(value, dict):
        lines = tuple((key, next(count)) for key in value)
        return Tree({key: numbered(part, count) for key, part in value.items()}, line, lines)
    if isinstance(value, list):
        return Tree([numbered(part, count) for part in value], line)
    if isinstance(value, bool):
        return Tree(str(value).lower(), line)
    return Tree(None if value is None else str(value), line)


def named_files(parsed: Tree, entry: Tree) -> Iterator[Path]:
    """Yield the files of the configs and secrets that a container uses, in what compose made of the files."""
    for section in ("configs", "secrets"):
        known = parsed.mapping().get(section, EMPTY).mapping()
        for used in entry.mapping().get(section, EMPTY).items():
            name = used.text() or used.mapping().get("source", EMPTY).text()
            file = known.get(name, EMPTY).mapping().get("file", EMPTY).text()
            if file:
                yield Path(file)


def _tree(value: object, own: Tree, line: int) -> Tree:
    """Return data as a tree, with the line of each part that is in `own`, and else that of the part around it."""
    if isinstance(value, dict):
        lines = {key: own.key_line(key) if key in own.mapping() else line for key in value}
        parts = {key: _tree(part, own.mapping().get(key, EMPTY), lines[key]) for key, part in value.items()}
        return Tree(parts, own.line if own is not EMPTY else line, tuple(lines.items()))
    if isinstance(value, list):
        same = len(value) == len(own.items())
        owns = own.items() if same else [EMPTY] * len(value)
        return Tree([_tree(part, one, one.line if same else line) for part, one in zip(value, owns, strict=True)], line)
    if isinstance(value, bool):
        return Tree(str(value).lower(), line)
    return Tree(None if value is None else str(value), line)


def _require_here(folder: Path, file: str, read: Mapping[Path, str]) -> None:
    """Raise an error if compose would fetch a file: it would be another one tomorrow, or none."""
    for path in read:
        name = relpath(path, folder)
        if REMOTE.search(name) and not path.exists():
            lines = read[folder / file].splitlines()
            last = name.rpartition(":")[2].strip("/")
            line = next((number for number, text in enumerate(lines, 1) if last in text), 1)
            error = NotReadable(
                f"compose would fetch {name.replace(':/', '://')}", line, "copy the file into the folder"
            )
            raise NamedNotReadable(folder / file, error)


@dataclass(frozen=True)
class Named:
    """A file that compose reads, and the folder from which the names in it lead; None if it is no compose file."""

    path: Path
    base: Path | None = None


def _files_read(folder: Path, files: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file that compose reads, with its text; one that cannot be read has none, and compose says why."""
    waiting, seen = [*(Named(path, folder) for path in files), Named(folder / ENVIRONMENT)], set[Named]()
    while waiting:
        named = waiting.pop(0)
        if named in seen:
            continue
        seen.add(named)
        text = _read(named.path)
        if text is None and named.path.name == ENVIRONMENT:
            continue
        yield named.path, text or ""
        if named.base and text:
            waiting += _named(_parse(named.path, text), named.base)


def _read(path: Path) -> str | None:
    try:
        return read_bytes(path).decode(errors="replace")  # an environment file may have any encoding
    except Missing:
        return None
    except NotReadable as error:
        raise NamedNotReadable(path, error) from error


def _parse(path: Path, text: str) -> Tree:
    try:
        return read_mapping(text)
    except NotReadable as error:
        raise NamedNotReadable(path, error) from error


def _named(tree: Tree, base: Path) -> Iterator[Named]:
    """Yield the files that a compose file names."""
    for item in tree.mapping().get("include", EMPTY).items():
        yield from _included(item, base)
    for service in tree.mapping().get("services", EMPTY).mapping().values():
        own = service.mapping()
        for extended in _paths(own.get("extends", EMPTY).mapping().get("file", EMPTY), base):
            yield Named(extended, extended.parent)
        for key in ("env_file", "label_file"):
            yield from (Named(path) for path in _paths(own.get(key, EMPTY), base))


def _included(item: Tree, base: Path) -> Iterator[Named]:
    """Yield the files of one entry of `include`, and the environment files that decide what they mean."""
    own = item.mapping()
    paths = list(_paths(own.get("path", item), base))
    first = paths[0].parent if paths else base  # the others are merged into the first one
    home = next(_paths(own.get("project_directory", EMPTY), base), first)
    yield Named(home / ENVIRONMENT)
    yield from (Named(path, home) for path in paths)
    yield from (Named(path) for path in _paths(own.get("env_file", EMPTY), base))


def _paths(tree: Tree, base: Path) -> Iterator[Path]:
    """Yield the files of `NAME`, `[NAME, …]` or `[{path: NAME}, …]`."""
    for item in (tree, *tree.items()):
        name = item.text() or item.mapping().get("path", EMPTY).text()
        if name:
            yield Path(
                normpath(base / name)
            )  # otherwise, two files that include each other would have ever longer names
