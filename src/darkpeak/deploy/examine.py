"""What a service's own folder decides: how it is read, what the rules find in it. It is remembered until it changes.

What depends on several services (blocks, names, routes, volumes of others) is not part of it.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import darkpeak
from darkpeak import lint
from darkpeak.collective.fingerprint import take
from darkpeak.collective.model import Finding, Service
from darkpeak.collective.packed import pack, unpack
from darkpeak.collective.read import Reading, read_service_folder
from darkpeak.collective.resolved import from_shell
from darkpeak.deploy.hidden import find_hidden, find_missing, find_removed
from darkpeak.engine.resolve import cache_folder, keep, resolve
from darkpeak.lint.ignores import Ignore, read_ignores

CODE = Path(darkpeak.__file__).parent
NOT_CODE = ("__pycache__", "data")  # in that folder
STARTED = time.time_ns()
OUTSIDE = "outside-folder"


@dataclass(frozen=True)
class Examined:
    """The service of one folder, and the findings in that folder."""

    service: Service | None  # None if its files cannot be read
    findings: tuple[Finding, ...]  # in reading the files, and of the rules
    hidden: tuple[Finding, ...] | None = None  # in what compose makes of the files; None if it did not answer
    ignores: tuple[Ignore, ...] = ()


def examine(root: Path, folder: Path, variables: Mapping[str, str], now: int = 0) -> Examined:
    """Return what is found in a service's folder: what was remembered, if nothing has changed since.

    `now` is the time in nanoseconds; 0 is the present one.
    """
    now = now or time.time_ns()
    fingerprint, own = take(folder), tool(CODE, STARTED)
    if not fingerprint or not own:
        return _examine(_read(root, folder, variables))
    kept = cache_folder() / "services" / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()}.json"
    key = [fingerprint.digest, own, str(root), sorted(variables.items()), *_rights(root)]
    known = _recall(kept, json.dumps(key))
    if known:
        return known
    reading = _read(root, folder, variables)
    found = _examine(reading)
    if fingerprint.is_settled(now) and _is_all_inside(folder, reading, found):
        _remember(kept, json.dumps(key), reading, found)
    return found


@cache
def tool(code: Path, now: int) -> str:
    """Return what changes with the code of this tool and the Python that runs it; empty if that is not known."""
    fingerprint = take(code, NOT_CODE)
    if not fingerprint or not fingerprint.is_settled(now):  # it may be other code than what runs
        return ""
    return f"{fingerprint.digest} {sys.version}"


def _read(root: Path, folder: Path, variables: Mapping[str, str]) -> Reading:
    return read_service_folder(root, folder, variables, resolve)


def _examine(reading: Reading) -> Examined:
    """Return what the rules find in the files of a service that was read."""
    service = reading.service
    if service is None:
        return Examined(None, reading.findings)
    ignores = tuple(read_ignores(service))
    if not reading.answer:
        return Examined(service, (*reading.findings, *lint.check_service(service)), None, ignores)
    removed = find_removed(service, reading.answer)
    own = (item for item in lint.check_service(service, whole=False) if item not in removed)
    found = (*own, *find_missing(service, reading.answer))
    hidden = find_hidden(service, reading.answer, found)
    return Examined(service, (*reading.findings, *found), tuple(hidden), ignores)


def _rights(root: Path) -> list[object]:
    """Return what decides which files this user may read and start, besides what the files themselves say."""
    return [os.geteuid(), os.getegid(), sorted(os.getgroups()), os.statvfs(root).f_flag]


def _is_all_inside(folder: Path, reading: Reading, found: Examined) -> bool:
    """Return whether nothing outside of the folder was looked at, and compose has answered."""
    service, asked = reading.service, reading.question
    if service is None or not asked or not asked.digest or found.hidden is None:
        return False
    builds = [os.path.normpath(folder / (one.build or "")) for one in service.containers]
    parts = [os.path.normpath(folder / name) for one in service.containers for name, _ in one.parts]
    outside = [path for path in (*map(os.path.normpath, asked.reads), *builds, *parts) if not _is_in(folder, path)]
    return not outside and OUTSIDE not in {item.rule for item in found.findings}


def _is_in(folder: Path, path: str) -> bool:
    return path == str(folder) or path.startswith(f"{folder}/")


def _recall(kept: Path, key: str) -> Examined | None:
    """Return what was remembered for this key, and with the same variables of the shell; None if nothing was."""
    try:
        entry = json.loads(kept.read_bytes())
        if entry["key"] != key or from_shell(entry["words"], os.environ) != entry["shell"]:
            return None
        found: Examined = unpack(Examined, entry["examined"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found


def _remember(kept: Path, key: str, reading: Reading, found: Examined) -> None:
    words: Iterable[str] = reading.question.words if reading.question else ()
    entry = {
        "key": key,
        "words": sorted(words),
        "shell": from_shell(words, os.environ),
        "examined": pack(found),
    }
    keep(kept, json.dumps(entry).encode())
