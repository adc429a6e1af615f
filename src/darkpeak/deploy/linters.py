"""Run shellcheck and hadolint over the files of services, and remember by content what they said."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkpeak import process
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.engine.resolve import cache_folder, keep
from darkpeak.lint.outside import FOLLOWED, LEFT_OUT, is_shell, make_findings, read_hadolint, read_shellcheck

FILE = "linted.json"
MOST = 50_000  # files of which it is kept what was said, the newest
AT_ONCE = 200  # files for one call


@dataclass(frozen=True)
class Linter:
    """A program that prints its findings as JSON: its name, which is the rule's, its options, and who reads that."""

    name: str
    options: tuple[str, ...]
    read: Callable[[str], dict[str, list[list[Any]]]]

    def program(self) -> str:
        """Return its path, also of one that pip installed beside this Python; empty if it is not installed."""
        beside = Path(sys.executable).parent / self.name
        return shutil.which(self.name) or (str(beside) if os.access(beside, os.X_OK) else "")


IGNORED = tuple(word for code in LEFT_OUT for word in ("--ignore", code))
SHELLCHECK = Linter("shellcheck", ("--norc", "-f", "json1", "-e", ",".join(FOLLOWED)), read_shellcheck)
HADOLINT = Linter("hadolint", ("--no-fail", "-f", "json", *IGNORED), read_hadolint)
LINTERS = (SHELLCHECK, HADOLINT)


def missing() -> tuple[str, ...]:
    """Return the names of the linters that are not installed."""
    return tuple(linter.name for linter in LINTERS if not linter.program())


def run_linters(collective: Collective, services: Sequence[Service]) -> list[Finding]:
    """Return what the installed linters say about the scripts and Dockerfiles of services."""
    if len(missing()) == len(LINTERS):
        return []
    texts = {file: read_or_empty(file) for service in services for file in _files(service)}
    recipes = {service.folder / name for service in services for name in _recipes(service)}
    shell = {file: text for file, text in texts.items() if file not in recipes and is_shell(text)}
    builds = {file: text for file, text in texts.items() if file in recipes and text}
    known = _known()
    before = len(known)
    found = [*_lint(SHELLCHECK, collective.root, shell, known), *_lint(HADOLINT, collective.root, builds, known)]
    if len(known) != before:
        newest = dict(list(known.items())[-MOST:])
        keep(cache_folder() / FILE, json.dumps(newest).encode())
    return found


def _lint(linter: Linter, root: Path, texts: Mapping[Path, str], known: dict[str, Any]) -> list[Finding]:
    """Return the findings of one linter; `known` gets what it says about files that it has not seen."""
    program = linter.program()
    if not program:
        return []
    keys = {file: _key(linter, text) for file, text in texts.items()}
    new = [file for file, key in keys.items() if key not in known]
    for start in range(0, len(new), AT_ONCE):
        group = new[start : start + AT_ONCE]
        done = process.run((program, *linter.options, "--", *map(str, group)))
        try:
            said = linter.read(done.text)
        except (ValueError, KeyError):
            continue  # it cannot read one of them
        known |= {keys[file]: said.get(str(file), []) for file in group}
    return [
        finding
        for file, key in keys.items()
        for finding in make_findings(linter.name, str(file.relative_to(root)), known.get(key, []))
    ]


def _key(linter: Linter, text: str) -> str:
    return hashlib.sha256(f"{linter.name} {linter.options} {text}".encode(errors="replace")).hexdigest()


def _files(service: Service) -> list[Path]:
    """Return a service's scripts, the programs of its containers, and its Dockerfiles."""
    scripts = service.folder / "scripts"
    files = sorted(scripts.iterdir()) if scripts.is_dir() else []
    names = {name for one in service.containers for name, _ in one.parts}
    wanted = {name for name in names if "/bin/" in name} | _recipes(service)
    return [*files, *(service.folder / name for name in sorted(wanted))]


def _recipes(service: Service) -> set[str]:
    """Return the Dockerfiles that compose takes; hadolint reads none that is a part of a compose file."""
    made = [one.dockerfile for one in service.containers]
    return {recipe.file for recipe in made if recipe.file and not (recipe.inline or recipe.outside)}


def _known() -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known
