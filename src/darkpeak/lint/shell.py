"""A rule about variables of the shell: with a value that only they have, two admins deploy different containers."""

import re
from collections.abc import Callable, Iterator

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.text import read_or_empty
from darkpeak.collective.tree import Tree
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, items
from darkpeak.vocabulary import DOMAIN_VARIABLE, HTTP_VARIABLE, HTTPS_VARIABLE, SSH_VARIABLE

# darkpeak sets these for compose, and compose itself the last one.
KNOWN = {DOMAIN_VARIABLE, HTTP_VARIABLE, HTTPS_VARIABLE, SSH_VARIABLE, "COMPOSE_PROJECT_NAME"}
USED = re.compile(r"\$(?:\{([A-Za-z_]\w*)(:?-)?|([A-Za-z_]\w*))", re.ASCII)  # its second group: there is a default
SET = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]", re.ASCII)
NAMED = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*", re.ASCII)
QUOTED = re.compile(r'"((?:\\.|[^"\\])*)')
COMMENT = re.compile(r"(?:^|\s)#.*")
ENVIRONMENT = ".env"
RULE = "from-shell"


def resources(written: Written) -> Iterator[Finding]:
    """A config or a secret is a file."""
    for section in ("configs", "secrets"):
        for name, entry in written.section(section):
            if child(entry, "environment").text():
                yield written.finding(entry.key_line("environment"), RULE, _what(name), "write file: instead")


def variables(written: Written) -> Iterator[Finding]:
    """Each variable of a compose file is in .env, or has a default."""
    known = KNOWN | _set_in(read_or_empty(written.service.folder / ENVIRONMENT))
    for key, part in written.tree.mapping().items():
        for name, line in _used(part) if not key.startswith("x-") else ():
            if name not in known:
                default, own = f"${{{name}:-VALUE}}", f"$${name}"
                hint = f"write {name}=VALUE into .env, or {default}; or {own}, if it is a variable of the container"
                yield written.finding(line, RULE, _what(name), hint)


def environments(written: Written) -> Iterator[Finding]:
    """Each variable of a container or a build has a value in the files."""
    known = KNOWN | _set_in(read_or_empty(written.service.folder / ENVIRONMENT))
    for _, container in written.containers():
        for part, key in ((container, "environment"), (child(container, "build"), "args")):
            for name, line in _without_value(child(part, key)):
                if name not in known:
                    hint = f"write {name}=VALUE here, or into .env"
                    yield written.finding(line, RULE, _what(name), hint)
        for entry in items(container, "env_file"):
            raw = child(entry, "format").text() == "raw"
            path = child(entry, "path").text() or entry.text()
            yield from _environment_file(written, path, known, _named if raw else _named_or_used)
    yield from _environment_file(written, ENVIRONMENT, known, _used_in)


def _environment_file(
    written: Written, path: str, known: set[str], names_of: Callable[[str], Iterator[str]]
) -> Iterator[Finding]:
    """Yield the lines of an environment file with variables that no file sets."""
    text = "" if written.is_outside(path) else read_or_empty(written.service.folder / path)
    own = known | _set_in(text)
    for number, line in enumerate(text.splitlines(), 1):
        for name in names_of(line):
            if name not in own:
                at = Place(f"{written.file.rpartition('/')[0]}/{path}", number)
                hint = f"write {name}=VALUE; or, if it is no variable, put the value in single quotes"
                yield Finding(at, RULE, _what(name), hint)


def _named(line: str) -> Iterator[str]:
    """Yield the name in a line that has only a name."""
    found = NAMED.fullmatch(line)
    if found:
        yield found[1]


def _used_in(line: str) -> Iterator[str]:
    """Yield the variables that compose replaces in the value in a line: in no comment, and not in single quotes."""
    found = SET.match(line)
    value = line[found.end() :].strip() if found else ""
    quoted = QUOTED.match(value)
    if quoted:
        yield from _names(quoted[1].replace("\\$", ""))
    elif not value.startswith("'"):
        yield from _names(COMMENT.sub("", value))


def _named_or_used(line: str) -> Iterator[str]:
    yield from _named(line)
    yield from _used_in(line)


def _what(name: str) -> str:
    return f"{name} is from the shell of whoever runs compose"


def _set_in(text: str) -> set[str]:
    """Return the names that an environment file sets."""
    return {found[1] for line in text.splitlines() if (found := SET.match(line))}


def _names(text: str) -> Iterator[str]:
    """Yield the variables that compose replaces in a text, if they have no default."""
    for found in USED.finditer(text.replace("$$", "")) if "$" in text else ():
        if not found[2]:
            yield found[1] or found[3]


def _used(tree: Tree) -> Iterator[tuple[str, int]]:
    """Yield the variables that compose replaces in a part of a file, with their lines."""
    for name in _names(tree.text()):
        yield name, tree.line
    for part in (*tree.mapping().values(), *tree.items()):
        yield from _used(part)


def _without_value(tree: Tree) -> Iterator[tuple[str, int]]:
    """Yield the variables that have only a name: `NAME:` in a mapping, `NAME` in a list."""
    for name, entry in tree.mapping().items():
        if entry.value is None:
            yield name, tree.key_line(name)
    for entry in tree.items():
        if NAMED.fullmatch(entry.text()):
            yield entry.text().strip(), entry.line


RULES = (
    Rule(
        RULE,
        ERROR,
        "What comes from the shell of one admin is different for each admin, so two admins deploy different "
        "containers.",
        "write the value into the compose file or into .env; for configs and secrets, write file:",
        file=(resources, variables, environments),
    ),
)
