"""Read a collective's files into values, and find all faults of their form."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from darkpeak.collective import backup, compose, text, tree
from darkpeak.collective.certificates import read_certificates
from darkpeak.collective.compose_errors import explain
from darkpeak.collective.hosts import read_hosts
from darkpeak.collective.identity import read_id
from darkpeak.collective.links import LEAVE, link_fault
from darkpeak.collective.model import Collective, Finding, Place, Service, Shared
from darkpeak.collective.overrides import read_overrides
from darkpeak.collective.resolved import NamedNotReadable, Question, Resolve, merged, overlay_of, question
from darkpeak.collective.router import read_router
from darkpeak.collective.settings import Admin
from darkpeak.collective.x_darkpeak import read_service
from darkpeak.errors import UsageError
from darkpeak.vocabulary import COLLECTIVE_FILE, COMPOSE_FILE

TYPE_WORDS: Mapping[type, str] = {
    str: "text in quotes",
    dict: "a table",
    list: "a list",
    int: "a number",
    bool: "true or false",
}
KEYS: Mapping[str, type] = {
    "name": str,
    "domain": str,
    "id": str,
    "admins": dict,
    "keep_deploys": int,
    "backup": dict,
    "hosts": dict,
    "certificates": dict,
    "router": dict,
}
WRONG_NAME = "the folder's name cannot be a service's name"
RENAME = "rename the folder: use lower-case letters, digits and inner hyphens"
MOST_FINDINGS = 20  # of one table
ADMIN_KEYS: Mapping[str, type] = {"name": str, "mail": str, "ssh": list, "board": bool}


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that holds a collective.toml, as an absolute path.

    Raises:
        UsageError: when there is none.
    """
    start = start.absolute()  # kept answers of compose are the same in every clone: they have no path of this machine
    for folder in (start, *start.parents):
        if os.path.lexists(folder / COLLECTIVE_FILE):  # what is wrong with it is a finding
            return folder
    raise UsageError(
        f"no {COLLECTIVE_FILE} in {start} or above it",
        hint="change to your collective's folder, or give --collective FOLDER",
    )


@dataclass(frozen=True)
class Reading:
    """What reading the folder of one service gave."""

    service: Service | None
    findings: tuple[Finding, ...]
    question: Question | None = None  # None if it was not asked
    answer: Mapping[str, Any] | None = None  # of compose; None if it gave none


# Reads the folder of a service, with the values of the collective's variables.
ReadOne = Callable[[Path, Mapping[str, str]], tuple[Service | None, Iterable[Finding]]]


def read(root: Path, resolve: Resolve | None = None) -> tuple[Collective, list[Finding]]:
    """Return the collective of a folder, and the findings; a service whose file cannot be read is left out.

    `resolve` asks compose, about files whose meaning only compose knows; without it they are read as they are written.
    """

    def read_one(folder: Path, variables: Mapping[str, str]) -> tuple[Service | None, Iterable[Finding]]:
        reading = read_service_folder(root, folder, variables, resolve)
        return reading.service, reading.findings

    return read_with(root, read_one)


def read_with(root: Path, read_one: ReadOne) -> tuple[Collective, list[Finding]]:
    """Return the collective of a folder, and the findings, with a function that reads the folder of each service."""
    collective, findings = _read_collective(root)
    services: list[Service] = []
    folders, unread = _folders(root)
    findings += unread
    with ThreadPoolExecutor() as pool:  # compose may take a tenth of a second for each
        for service, found in pool.map(lambda folder: read_one(folder, collective.variables), folders):
            findings += found
            services += [service] if service else []
            unread += [] if service else found
    if not services and not findings:
        at = Place("services", 1)
        findings.append(Finding(at, "no-services", "there is no service", "write services/NAME/docker-compose.yml"))
    return replace(collective, services=tuple(services), unread=tuple(unread)), findings


def _folders(root: Path) -> tuple[list[Path], list[Finding]]:
    """Return the folders of the services, and findings about those that cannot be one."""
    wrong = link_fault(root, root / "services")
    if wrong:
        return [], [Finding(Place("services", 1), "linked-folder", f"services {wrong}", LEAVE)]
    folders: list[Path] = []
    findings: list[Finding] = []
    for item in sorted(one for one in (root / "services").glob("*") if one.name[0] != "."):
        wrong = link_fault(root, item)
        at = Place(f"services/{item.name if item.name.isprintable() else ascii(item.name)[1:-1]}", 1)
        if wrong:
            findings.append(Finding(at, "linked-folder", f"it {wrong}", LEAVE))
        elif item.is_dir() and not item.name.isprintable():  # a line break, no UTF-8
            findings.append(Finding(at, "service-name", WRONG_NAME, RENAME))
        elif item.is_dir():
            folders.append(item)
    return folders, findings


def read_service_folder(root: Path, folder: Path, variables: Mapping[str, str], resolve: Resolve | None) -> Reading:
    """Return what the folder of a service says."""
    file = str((folder / COMPOSE_FILE).relative_to(root))
    parsed = _parse(folder / COMPOSE_FILE, file)
    if isinstance(parsed, Finding):
        return Reading(None, (parsed,))
    overlay = overlay_of(folder)
    files = (COMPOSE_FILE, overlay) if overlay else (COMPOSE_FILE,)
    try:
        asked = question(folder, files, variables, os.environ) if resolve else None
    except NamedNotReadable as error:
        return Reading(None, (_named(root, folder, error),))
    answer = resolve(asked) if resolve and asked else {}
    if isinstance(answer, str):
        return Reading(None, (explain(root, folder, files[0], answer),))
    service, findings = read_service(folder, file, merged(parsed, answer) if answer else parsed, variables)
    if service:
        overrides, found = read_overrides(root, service, variables)
        written = compose.read_uses(parsed, service.project, partial(Place, file))  # compose leaves out unused ones
        uses = {(use.noun, use.name): use for use in (*service.uses, *written)}
        service = replace(
            service,
            files=files,
            overrides=overrides,
            uses=tuple(uses.values()),
            networks=_shared(service.networks, parsed, "networks", service.project),
            volumes=_shared(service.volumes, parsed, "volumes", service.project),
        )
        findings += found
    return Reading(service, tuple(findings), asked, answer or None)


def _shared(found: Iterable[Shared], written: tree.Tree, section: str, project: str) -> tuple[Shared, ...]:
    """Return those with a name that somebody wrote: compose gives every network and volume one."""
    entries = written.mapping().get(section, tree.EMPTY).mapping()
    names = {entry.mapping().get("name", tree.EMPTY).text() for entry in entries.values()}
    usual = {f"{project}_{key}" for key in entries} - names
    return tuple(item for item in found if item.external or item.name not in usual)


def _named(root: Path, folder: Path, error: NamedNotReadable) -> Finding:
    """Return the finding about a file that compose would read besides the compose file."""
    if not error.path.is_relative_to(folder):  # the fault is of the service that uses the file
        at = Place(str((folder / COMPOSE_FILE).relative_to(root)), 1)
        return Finding(at, "named-file", f"{error.path}:{error.line}: {error}", error.hint)
    return Finding(Place(str(error.path.relative_to(root)), error.line), "named-file", str(error), error.hint)


def _parse(path: Path, file: str) -> tree.Tree | Finding:
    """Return a parsed compose file, or the finding because of which it cannot be read."""
    try:
        return tree.read_mapping(text.read(path))
    except text.Missing:
        return Finding(Place(file, 1), "no-compose-file", "the service has no compose file", f"write {file}")
    except text.NotReadable as error:
        return Finding(Place(file, error.line), "yaml", str(error), error.hint)


def _read_collective(root: Path) -> tuple[Collective, list[Finding]]:
    try:
        written = text.read(root / COLLECTIVE_FILE)
        data = tree.read_toml(written)
    except text.NotReadable as error:
        at = Place(COLLECTIVE_FILE, error.line)
        return Collective(root, "", "localhost"), [Finding(at, "toml", str(error), error.hint)]
    findings = _wrong_keys(written, data, KEYS, ())
    for key, example in (("name", "Dark Peak"), ("domain", "localhost")):
        if key not in data:
            hint = f'write {key} = "{example}"'
            findings.append(Finding(Place(COLLECTIVE_FILE, 1), "missing-key", f"{key} is missing", hint))
    domain = data.get("domain")
    domain = domain if isinstance(domain, str) else "localhost"
    admins, found = _read_admins(written, data.get("admins"))
    keep = data.get("keep_deploys")
    keep = max(1, keep) if isinstance(keep, int) else Collective.keep_deploys
    kept, wrong = backup.read_backup(written, data.get("backup"))
    collective = Collective(root, str(data.get("name", "")), domain, admins, keep_deploys=keep, backup=kept)
    hosts, misplaced = read_hosts(written, data.get("hosts"))
    certificates, refused = read_certificates(root, written, data.get("certificates"), domain)
    router, taken = read_router(written, data.get("router"))
    findings += found + wrong + misplaced + refused + taken
    return replace(collective, hosts=hosts, certificates=certificates, router=router, id=read_id(data)), findings


def _read_admins(written: str, data: Any) -> tuple[tuple[Admin, ...], list[Finding]]:
    admins: list[Admin] = []
    findings: list[Finding] = []
    for name, values in data.items() if isinstance(data, dict) else ():
        if not isinstance(values, dict):
            at = Place(COLLECTIVE_FILE, tree.toml_line(written, "admins", name))
            findings.append(Finding(at, "wrong-type", f"admin {name} is not a table", f"write [admins.{name}]"))
            continue
        findings += _wrong_keys(written, values, ADMIN_KEYS, ("admins", name))
        ssh = values.get("ssh")
        keys = tuple(str(key) for key in ssh) if isinstance(ssh, list) else ()
        board = values.get("board") is True
        admins.append(Admin(name, str(values.get("name", "")), str(values.get("mail", "")), keys, board))
    return tuple(admins), findings


def _wrong_keys(written: str, data: dict[str, Any], known: Mapping[str, type], path: tuple[str, ...]) -> list[Finding]:
    findings: list[Finding] = []
    for key, value in data.items():
        if len(findings) == MOST_FINDINGS:
            break
        at = Place(COLLECTIVE_FILE, tree.toml_line(written, *path, key))
        if key not in known:
            hint = f"the known keys are {', '.join(known)}"
            findings.append(Finding(at, "unknown-key", f"unknown key {key}", hint))
        elif not isinstance(value, known[key]):
            word = TYPE_WORDS[known[key]]
            findings.append(Finding(at, "wrong-type", f"{key} must be {word}", f"write {key} as {word}"))
    return findings
