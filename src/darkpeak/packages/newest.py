"""Ask this machine's pip and npm for the newest versions of packages: their own settings say which index is asked."""

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from darkpeak import process
from darkpeak.errors import SystemFailure
from darkpeak.packages.container import CannotTell
from darkpeak.packages.libraries import Library
from darkpeak.packages.listed import Kind
from darkpeak.result import Result, display

AT_ONCE = 4  # each is a Python
SECONDS = 300
PIP_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
NPM_NAME = re.compile(r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-zA-Z0-9~-][a-zA-Z0-9._~-]*")
NEWEST = re.compile(r"^\S+ \((\S+)\)$", re.MULTILINE)
UNREACHABLE = re.compile(r"^\s*Could not fetch URL (\S+): (?!404 )(.+?)(?: - skipping)?$", re.MULTILINE)

Answers = dict[Library, str | CannotTell]


def find_newer(libraries: Iterable[Library]) -> Answers:
    """Return the newer version of each package; empty for one that is up to date, or that is of no index."""
    asked = sorted(set(libraries))
    python = [item for item in asked if item.kind == Kind.PYPI]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers: Answers = dict(zip(python, pool.map(_ask_pip, python), strict=True))
    return answers | _ask_npm([item for item in asked if item.kind == Kind.NPM])


def make_pip_argv(library: Library) -> tuple[str, ...]:
    """Return the command that asks for the versions of a Python package; -vv says what it could not reach."""
    version = ("--python-version", library.python) if library.python else ()
    options = ("-vv", "--retries=1", "--timeout=15", "--disable-pip-version-check")
    return (sys.executable, "-m", "pip", "index", "versions", *options, *version, library.name)


def _ask_pip(library: Library) -> str | CannotTell:
    if not PIP_NAME.fullmatch(library.name):
        return CannotTell(f"no Python package can have the name {display(library.name)}")
    try:
        return read_pip(library, process.run(make_pip_argv(library), seconds=SECONDS))
    except SystemFailure as error:
        return CannotTell(error.message)
    except CannotTell as error:
        return error


def read_pip(library: Library, ran: Result) -> str:
    """Return the version that `pip index versions` names, if that is newer.

    Raises:
        CannotTell: when it names none, or when an index did not answer: that one may have a newer version.
    """
    from packaging.version import InvalidVersion, Version

    missed = UNREACHABLE.search(ran.text)
    if missed:
        raise CannotTell(f"pip cannot reach {display(f'{missed[1]}: {missed[2]}')}")
    newest = NEWEST.search(ran.text)
    if not newest or ran.code:
        if b"No matching distribution found" not in ran.stderr:
            raise CannotTell(f"pip did not answer for {library.name}: {ran.last_line()}")
        if library.own:
            return ""
        raise CannotTell(f"pip's index has no {library.name}")
    try:
        return newest[1] if Version(newest[1]) > Version(library.version) else ""
    except InvalidVersion as error:
        raise CannotTell(f"{library.name}: {error}") from error


def _ask_npm(libraries: list[Library]) -> Answers:
    """Ask npm about all packages at once: as a project that needs them, and has none of them yet."""
    valid = [item for item in libraries if NPM_NAME.fullmatch(item.name)]
    answers: Answers = {
        item: CannotTell(f"no npm package can have the name {display(item.name)}")
        for item in libraries
        if item not in valid
    }
    if not valid:
        return answers
    with tempfile.TemporaryDirectory(prefix="darkpeak-npm-") as folder:
        project = {"private": True, "dependencies": {item.name: "*" for item in valid}}
        (Path(folder) / "package.json").write_text(json.dumps(project))
        options = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--update-notifier=false", "--prefix", folder)
        argv = ("npm", "outdated", "--json", *options)
        try:
            known = read_npm(process.run(argv, seconds=SECONDS))
        except (SystemFailure, CannotTell) as error:
            return answers | dict.fromkeys(valid, CannotTell(str(error)))
    return answers | {item: _newer_of_npm(item, known) for item in valid}


def read_npm(ran: Result) -> Mapping[str, str]:
    """Return the newest versions that `npm outdated` names, by the packages' names.

    Raises:
        CannotTell: when it names none because a registry did not answer as it should.
    """
    try:
        found = json.loads(ran.stdout)
        if "error" in found and "code" in found["error"]:
            raise CannotTell(f"npm cannot reach its registry: {display(str(found['error'].get('summary')))}")
        each = {name: item[0] if isinstance(item, list) else item for name, item in found.items()}
        return {name: str(item["latest"]) for name, item in each.items() if item.get("latest")}
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise CannotTell(f"npm did not answer: {ran.last_line()}") from error


def _newer_of_npm(library: Library, known: Mapping[str, str]) -> str | CannotTell:
    from semver import Version

    newest = known.get(library.name, "")
    if not newest:
        return "" if library.own else CannotTell(f"npm's registry has no {library.name}")
    try:
        return newest if Version.parse(newest) > Version.parse(library.version) else ""
    except ValueError as error:
        return CannotTell(f"{library.name}: {error}")
