"""Fixes of findings that are safe: a mode, line endings, missing lines of a container. Nothing else of a file changes.

Pure: returns what a file should be, and does not write it.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from darkpeak.collective.model import Finding
from darkpeak.collective.text import NotReadable, read_bytes
from darkpeak.collective.tree import EMPTY, read_yaml
from darkpeak.lint.limits import LINES

RESTART = "restart: unless-stopped"
# The rules whose finding is fixed by a line in the container; dropping capabilities could break the program.
ADDED = {rule: line for rule, line in LINES.items() if rule != "capabilities"} | {"no-restart": RESTART}
CRLF, MODE = "crlf", "not-executable"
FIXABLE = frozenset({*ADDED, CRLF, MODE})


@dataclass(frozen=True)
class Fix:
    """One file as it is and as it should be; `executable` if its mode changes."""

    path: Path
    file: str  # from the collective's root
    before: bytes
    after: bytes
    executable: bool = False

    def diff(self) -> str:
        """Return the change as `diff -u` shows it; carriage returns and the mode in words."""
        old, new = (text.decode(errors="replace").replace("\r\n", "␍\n") for text in (self.before, self.after))
        mode = f"{self.file}: made executable\n" if self.executable else ""
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{self.file}", f"b/{self.file}"
        )
        return mode + "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def make_fixes(root: Path, findings: Iterable[Finding]) -> Iterator[Fix]:
    """Yield a fix for each file with findings that can be fixed; a file that cannot be read has none."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.rule in FIXABLE:
            by_file.setdefault(finding.at.file, []).append(finding)
    for file, found in sorted(by_file.items()):
        try:
            before = read_bytes(root / file)
        except NotReadable:
            continue
        rules = {finding.rule for finding in found}
        after = before.replace(b"\r\n", b"\n") if CRLF in rules else before
        after = _with_lines(after, [item for item in found if item.rule in ADDED])
        if after != before or MODE in rules:
            yield Fix(root / file, file, before, after, MODE in rules)


def _with_lines(content: bytes, findings: list[Finding]) -> bytes:
    """Return a compose file with the missing lines of its containers; from below, so that line numbers stay right."""
    if not findings:
        return content
    text = content.decode(errors="surrogateescape")
    for line in sorted({item.at.line for item in findings}, reverse=True):
        added = [ADDED[item.rule] for item in findings if item.at.line == line]
        text = _insert(text, line, sorted(added))
    return text.encode(errors="surrogateescape")


def _insert(text: str, line: int, added: list[str]) -> str:
    """Return the text with lines at the end of the container whose name is on a line; unchanged if it has no block."""
    lines = text.splitlines(keepends=True)
    inside = list(_block(lines, line))
    missing = [one for one in added if not any(lines[at].lstrip().startswith(_key(one)) for at in inside)]
    if not inside or not missing:
        return text
    ending = "\r\n" if lines[line - 1].endswith("\r\n") else "\n"
    indent = lines[inside[0]][: _depth(lines[inside[0]])]
    last = inside[-1]
    if not lines[last].endswith("\n"):
        lines[last] += ending
    lines[last + 1 : last + 1] = [f"{indent}{one}{ending}" for one in missing]
    changed = "".join(lines)
    return changed if _still_yaml(changed) else text


def _block(lines: list[str], line: int) -> Iterator[int]:
    """Yield the positions of the lines below a key that belong to it; comments and empty lines are left out."""
    depth = _depth(lines[line - 1])
    for at in range(line, len(lines)):
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            if _depth(lines[at]) <= depth:
                return
            yield at


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _key(line: str) -> str:
    return line.partition(":")[0] + ":"


def _still_yaml(text: str) -> bool:
    try:
        return read_yaml(text) is not EMPTY
    except NotReadable:
        return False
