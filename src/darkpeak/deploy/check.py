"""Read a collective's files, and find their faults: with our rules, and with compose itself."""

import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from darkpeak import collective as files
from darkpeak import lint, process
from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.collective.tree import EMPTY, NotReadable, Tree, read_yaml
from darkpeak.engine.compose import make_compose
from darkpeak.errors import SystemFailure, UsageError

AT_ONCE = 4
HINT = "see the Compose file reference: docs.docker.com/reference/compose-file"
FILE = re.compile(r"validating (?P<file>[^:]+): ")
UNKNOWN = re.compile(r"(?P<where>[\w.()-]*) ?[Aa]dditional propert(?:y|ies) '?(?P<key>[^' ]+)'? (?:is )?not allowed")
# How compose 2.20 to 2.40 names the part of the file that is wrong.
ABOUT = (
    re.compile(r"(?P<path>(?:services|networks|volumes|configs|secrets)\.[\w.-]+)"),
    re.compile(r"'(?P<path>services\[[\w.-]+\][\w.-]*)'"),
    re.compile(r'service "(?P<service>[\w.-]+)"'),
)


@dataclass(frozen=True)
class Checked:
    """A collective and the findings in its files."""

    collective: Collective
    findings: tuple[Finding, ...]


def check_files(start: Path) -> Checked:
    """Return the collective of a folder, and the findings of all rules; this needs no program and no daemon.

    Raises:
        UsageError: when there is no collective.
    """
    found, unreadable = files.read(files.find_root(start))
    if any(finding.rule == "toml" for finding in unreadable):  # without it, every other file would seem to be wrong
        return Checked(found, tuple(unreadable))
    return Checked(found, tuple(sorted({*unreadable, *lint.check(found)})))


def check_with_compose(collective: Collective, services: Sequence[Service]) -> list[Finding]:
    """Return the findings of compose itself in the files of services; nothing is touched.

    Raises:
        SystemFailure: when compose is not installed.
    """
    running = [service for service in services if service.runs]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda service: _run_compose(collective, service), running)
        return [finding for finding in found if finding]


def deployable(checked: Checked, names: Sequence[str] = ()) -> Collective:
    """Return the collective with its faults: the findings that stop the deploy of a service.

    Raises:
        UsageError: when a fault is in a file of the whole collective, or of one of the named services.
    """
    faults = tuple(item for item in checked.findings if item.rule not in lint.ADVICE)
    require_sound([item for item in faults if item.at.service in ("", *names)])
    return replace(checked.collective, faults=faults)


def require_sound(findings: Collection[Finding]) -> None:
    """Raise an error if there are findings.

    Raises:
        UsageError: with each finding, its place, and what to do.
    """
    if findings:
        shown = "\n".join(f"  {item.at}: {item.what}\n      {item.hint}" for item in sorted(findings))
        count = files.count(len(findings), "finding")
        services = {item.at.service for item in findings}
        what = "nothing was touched" if "" in services else f"not touched: {', '.join(sorted(services))}"
        raise UsageError(f"the files have {count}; {what}\n{shown}")


def _run_compose(collective: Collective, service: Service) -> Finding | None:
    environment = {**process.own_environment(), **collective.variables}
    checked = process.run(make_compose(service, "config", "--quiet"), environment=environment)
    if not checked.code:
        return None
    message = checked.last_line()
    if "is not a docker command" in message or "unknown flag: --ansi" in message:
        raise SystemFailure("docker compose is not installed", hint="install it: bin/setup")
    return explain(collective.root, service, message)


def explain(root: Path, service: Service, message: str) -> Finding:
    """Return an error message of compose as a finding, with the line of the fault if that can be found."""
    named = FILE.search(message)
    path = Path(named["file"]) if named else service.folder / service.files[0]
    rest = message[named.end() :] if named else message
    unknown = UNKNOWN.search(rest)
    if unknown:
        where = unknown["where"].removeprefix("(root)")
        keys = [*where.split("."), unknown["key"]] if where else [unknown["key"]]
        what = f"unknown key {unknown['key']}" + (f" in {where}" if where else "")
    else:
        keys, what = _keys(rest), rest.removesuffix(": invalid compose project")
    if not path.is_relative_to(service.folder):  # the fault is of the service that uses the file
        return Finding(Place(service.at.file, 1), "compose", f"{path}: {what}", HINT)
    return Finding(Place(str(path.relative_to(root)), _line(_read(path), keys)), "compose", what, HINT)


def _keys(message: str) -> list[str]:
    """Return the keys in the file that lead to the part that a message names."""
    for pattern in ABOUT:
        found = pattern.search(message)
        if found and "path" in found.groupdict():
            return re.split(r"[.\[\]]+", found["path"])
        if found:
            return ["services", found["service"]]
    return []


def _read(path: Path) -> Tree:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotReadable):
        return EMPTY


def _line(tree: Tree, keys: Sequence[str]) -> int:
    """Return the line of the last of these keys, or of the nearest key above it that exists."""
    line = tree.line
    for key in keys:
        children = tree.mapping()
        if key not in children:
            return tree.key_line(key) if key in dict(tree.key_lines) else line
        line, tree = tree.key_line(key), children[key]
    return line
