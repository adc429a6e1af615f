"""Errors that compose prints, as findings with the line of the fault. Pure, except that it reads the named files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.text import NotReadable, read
from darkpeak.collective.tree import EMPTY, Tree, read_yaml

HINT = "see the Compose file reference: docs.docker.com/reference/compose-file"
ENV_HINT = "write NAME=VALUE lines; a quote must close"
CRASH_HINT = "look at what changed last: a value may be missing, such as `service` in `extends`"
FILE = re.compile(r"validating (?P<file>[^:]+): ")
ENV_LINE = re.compile(r"(?:failed to read (?P<file>[^:]+): )?line (?P<line>\d+): (?P<what>.*)")
UNKNOWN = re.compile(r"(?P<where>[\w.()-]*) ?[Aa]dditional propert(?:y|ies) '?(?P<key>[^' ]+)'? (?:is )?not allowed")
# How compose 2.20 to 2.40 names the part of the file that is wrong.
ABOUT = (
    re.compile(r"(?P<path>(?:services|networks|volumes|configs|secrets)\.[\w.-]+)"),
    re.compile(r"'(?P<path>services\[[\w.-]+\][\w.-]*)'"),
    re.compile(r'service "(?P<service>[\w.-]+)"'),
    re.compile(r"(?:cycle detected|Circular reference): (?P<service>[\w-]+)(?: ->| in )"),
)
REMARK = re.compile(r'time="[^"]*" level=|(?:WARN|INFO)\w*\[')  # a line that compose prints beside the error
NO_NEWS = ("You may need to escape any $ with another $.", "decoding failed due to the following error(s):")
CRASH = "panic: "
VALUE = re.compile(r"""[./\d"'-]""")  # a file, a port, a number, what is quoted
SYSTEM = re.compile(r": (?:no such file or directory|is a directory|permission denied)")  # the end of what it said


def explain(root: Path, folder: Path, file: str, printed: str) -> Finding:
    """Return what compose printed as a finding, with the line of the fault if that can be found."""
    message = _message(printed)
    if message.startswith(CRASH):
        what = f"compose itself breaks off: {message.removeprefix(CRASH)}"
        return Finding(Place(str((folder / file).relative_to(root)), 1), "compose", what, CRASH_HINT)
    return _about_env_file(root, folder, file, message) or _about_file(root, folder, file, message)


def _message(printed: str) -> str:
    """Return an error of compose in one line; of a crash, only its first line."""
    lines = [line.strip() for line in printed.splitlines() if line.strip() and not REMARK.match(line)]
    crash = next((line for line in lines if line.startswith(CRASH)), "")
    return crash or " ".join(line for line in lines if line not in NO_NEWS)


def _about_env_file(root: Path, folder: Path, file: str, message: str) -> Finding | None:
    """Return the finding about a line of an environment file. Compose does not say which file, except of .env."""
    found = ENV_LINE.fullmatch(message)
    if not found:
        return None
    named = {found["file"]: 1} if found["file"] else dict(_env_files(read_file(folder / file)))
    path, what = folder / next(iter(named), ""), found["what"].replace(f"{folder}/", "")
    if len(named) == 1 and path.is_relative_to(folder):
        return Finding(Place(str(path.relative_to(root)), int(found["line"])), "compose", what, ENV_HINT)
    what = f"line {found['line']} of {' or '.join(named) or 'an environment file'}: {what}"
    return Finding(
        Place(str((folder / file).relative_to(root)), min(named.values(), default=1)), "compose", what, ENV_HINT
    )


def _env_files(tree: Tree) -> Iterator[tuple[str, int]]:
    """Yield the environment files that a compose file names, with the line."""
    for service in tree.mapping().get("services", EMPTY).mapping().values():
        entry = service.mapping().get("env_file", EMPTY)
        for item in (entry, *entry.items()):
            text = item.text() or item.mapping().get("path", EMPTY).text()
            if text:
                yield text, item.line


def _about_file(root: Path, folder: Path, file: str, message: str) -> Finding:
    """Return the finding about a key or a value of a compose file."""
    named = FILE.search(message)
    path = Path(named["file"]) if named else folder / file
    rest = (message[named.end() :] if named else message).replace(f"{folder}/", "")
    unknown = UNKNOWN.search(rest)
    if unknown:
        where = unknown["where"].removeprefix("(root)")
        keys = [*where.split("."), unknown["key"]] if where else [unknown["key"]]
        what = f"unknown key {unknown['key']}" + (f" in {where}" if where else "")
    else:
        keys, what = _keys(rest), rest.removesuffix(": invalid compose project")
    if not path.is_relative_to(folder):  # the fault is of the service that uses the file
        return Finding(Place(str((folder / file).relative_to(root)), 1), "compose", f"{path}: {what}", HINT)
    tree = read_file(path)
    line = line_of(tree, keys) if keys else _line_about(tree, what)
    return Finding(Place(str(path.relative_to(root)), line), "compose", what, HINT)


def _keys(message: str) -> list[str]:
    """Return the keys in the file that lead to the part that a message names."""
    for pattern in ABOUT:
        found = pattern.search(message)
        if found and "path" in found.groupdict():
            return re.split(r"[.\[\]]+", found["path"])
        if found:
            return ["services", found["service"]]
    return []


def _line_about(tree: Tree, message: str) -> int:
    """Return the line that a message is about: of the key with which it begins, of a value, or of a key in it."""
    words = SYSTEM.split(message)[0].split()
    bare = [word.strip("\"',;:.") for word in words]
    named = [*bare[-1:], *(word for word, written in zip(bare, words, strict=True) if VALUE.search(written))]
    places = list(_places(tree))
    begins = (line for path, line, _ in places if bare and f".{path}".endswith(f".{bare[0]}"))
    values = (
        line for word in named for _, line, text in places if word and word in (text, *text.replace(" ", "").split(":"))
    )
    keys = (line for word in bare for path, line, _ in places if "_" in word and path.endswith(f".{word}"))
    return next((line for found in (begins, values, keys) for line in found), tree.line)


def _places(tree: Tree, path: str = "") -> Iterator[tuple[str, int, str]]:
    """Yield the keys, joined by dots, that lead to each value, its line, and its text."""
    for key, value in tree.mapping().items():
        here = f"{path}.{key}".lstrip(".")
        yield here, tree.key_line(key), value.text()
        yield from _places(value, here)
    for item in tree.items():
        yield path, item.line, item.text()
        yield from _places(item, path)


def read_file(path: Path) -> Tree:
    """Return what a file says; empty if it cannot be read."""
    try:
        return read_yaml(read(path))
    except NotReadable:
        return EMPTY


def line_of(tree: Tree, keys: Sequence[str]) -> int:
    """Return the line of the last of these keys, or of the nearest key above it that exists."""
    line = tree.line
    for key in keys:
        children = tree.mapping()
        if key not in children:
            return tree.key_line(key) if key in dict(tree.key_lines) else line
        line, tree = tree.key_line(key), children[key]
    return line
