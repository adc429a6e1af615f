"""Find the commands in the project's pages: in their blocks, and between backticks."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from darkpeak.cli import root

TOP = Path(__file__).parent.parent.parent
SERVICES = tuple(sorted(str(path.relative_to(TOP)) for path in TOP.glob("services/**/README.md")))
CATALOGUE = tuple(sorted(str(path.relative_to(TOP)) for path in TOP.glob("catalogue/**/README.md")))
# bin/reference writes docs/commands.md; test_tutorial.py runs every command of the tutorial and of vm.md.
LEFT_OUT = ("docs/commands.md", "docs/tutorial.md", "docs/vm.md")
PAGES = (
    *("README.md", "CONTRIBUTING.md", "tests/live/README.md", *SERVICES, *CATALOGUE),
    *sorted(name for path in TOP.glob("docs/*.md") if (name := str(path.relative_to(TOP))) not in LEFT_OUT),
)


def paths(group: click.Group = root, path: str = "darkpeak") -> Iterator[tuple[str, click.Command]]:
    """Yield the names of all commands and groups, `darkpeak key` and `darkpeak key add`, with the command."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from paths(command, f"{path} {name}")


PROGRAMS = (
    *("age", "cat", "cd", "curl", "darkpeak", "dig", "docker", "echo", "getent", "git", "grep", "ldappasswd"),
    *("openssl", "pip", "rm", "sed", "ss", "ssh", "ssh-keygen", "ssh-keyscan", "sudo", "tar", "towncrier", "vagrant"),
)
COMMAND = re.compile(
    rf"(?:[A-Z_]+=\S+ )*(?:(?:{'|'.join(PROGRAMS)}) (?!= ).*|(?:bin|scripts|bench)/[\w-]+(?: .*)?)", re.DOTALL
)
MENTION = re.compile(rf"docker( [a-z]+){{,2}}|(bin|scripts)/[\w-]+|darkpeak|{'|'.join(dict(paths()))}")
# They need an argument, so that a name alone cannot be run.
INCOMPLETE = {
    name
    for name, command in paths()
    if isinstance(command, click.Group) or any(item.required for item in command.params)
}
FENCE = re.compile(r" *```(\w*)")
SHELL = ("", "sh")
COMMENT = re.compile(r"(?:^|\s{2,})#.*|\s{3,}\S.*")
HERE = re.compile(r"<<'?(\w+)'?$")
CODE = re.compile(r"`([^`]+)`")


def commands(page: str) -> list[str]:
    """Return the commands of a page in their order, each once; without names of commands, which are only mentioned."""
    found = [
        command
        for prose, text in _segments((TOP / page).read_text(encoding="utf-8").splitlines())
        for command in (_between_backticks(text) if prose else _joined(text))
        if COMMAND.fullmatch(command) and not (prose and _is_mention(page, command))
    ]
    return list(dict.fromkeys(found))


def _is_mention(page: str, command: str) -> bool:
    """Return whether a sentence only names a command; a service's README means every command that can be run."""
    return command in INCOMPLETE if page in SERVICES else bool(MENTION.fullmatch(command))


def _segments(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Yield the prose and the blocks of a page in their order: whether it is prose, and its lines."""
    prose: list[str] = []
    while lines:
        line, lines = lines[0], lines[1:]
        fence = FENCE.match(line)
        if fence or (re.match(r" {4,}\S", line) and not (prose and prose[-1].strip())):
            yield True, prose
            end = next(n for n, item in enumerate([*lines, "" if not fence else "```"]) if _ends(item, bool(fence)))
            yield False, [line, *lines[:end]] if not fence else lines[:end] if fence[1] in SHELL else []
            prose, lines = [], lines[end + bool(fence) :]
        else:
            prose.append(line)
    yield True, prose


def _ends(line: str, fenced: bool) -> bool:  # noqa: FBT001 (how the block began)
    return bool(FENCE.match(line)) if fenced else not re.match(r" {4,}\S", line)


def _between_backticks(lines: list[str]) -> list[str]:
    return [" ".join(span.split()) for span in CODE.findall("\n".join(lines))]


def _joined(lines: list[str]) -> list[str]:
    """Return the commands of a block: with the lines that continue them, and with their here documents."""
    found: list[str] = []
    here = ""
    for line in lines:
        bare = COMMENT.sub("", line.strip())
        if here:
            found[-1] += f"\n{line.strip()}"
            here = "" if line.strip() == here else here
            continue
        if found and found[-1].endswith("|"):
            found[-1] += f" {bare}"
        elif bare:
            found.append(bare)
        opened = HERE.search(bare)
        here = opened[1] if opened else ""
    return found
