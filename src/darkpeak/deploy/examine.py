"""What a service's own folder decides: how it is read, what the rules find in it. It is remembered until it changes.

What depends on several services (blocks, names, routes, volumes of others) is not part of it.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import darkpeak
from darkpeak.collective.fingerprint import take
from darkpeak.collective.ignored import Ignore
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.packed import pack, unpack
from darkpeak.collective.read import Reading, read_service_folder
from darkpeak.collective.resolved import from_shell
from darkpeak.collective.text import read_or_empty
from darkpeak.engine.resolve import cache_folder, keep, resolve
from darkpeak.vocabulary import COLLECTIVE_FILE, KEY_FILE

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
    digest: str = field(default="", compare=False)  # of all that decided this; empty if it is not remembered


@dataclass(frozen=True)
class Judged:
    """The findings in all files of a collective."""

    findings: tuple[Finding, ...]
    with_ignored: tuple[Finding, ...]  # also those that a comment ignores
    faults: tuple[Finding, ...]  # those that stop the deploy of a service


def examine(root: Path, folder: Path, variables: Mapping[str, str], now: int = 0) -> Examined:
    """Return what is found in a service's folder: what was remembered, if nothing has changed since.

    `now` is the time in nanoseconds; 0 is the present one.
    """
    now = now or time.time_ns()
    fingerprint, own = take(folder), tool(CODE, STARTED)
    if not fingerprint or not own:
        return _judge(_read(root, folder, variables))
    kept = cache_folder() / "services" / f"{_hash(str(folder))}.json"
    key = [fingerprint.digest, own, str(root), sorted(variables.items()), *_rights(root)]
    decides = json.dumps(key)
    digest = _hash(decides)
    known = _recall(kept, decides)
    if known:
        return replace(known, digest=digest)
    reading = _read(root, folder, variables)
    found = _judge(reading)
    if fingerprint.is_settled(now) and _is_all_inside(folder, reading, found):
        _remember(kept, decides, reading, found)
        return replace(found, digest=digest)
    return found


def _judge(reading: Reading) -> Examined:
    from darkpeak.deploy.judge import judge_service  # all rules: what was found before is remembered without them

    return judge_service(reading)


def judge(collective: Collective, own: Iterable[Finding], examined: Iterable[Examined]) -> Judged:
    """Return what is found in all files of a collective: what was remembered, if nothing has changed since.

    `own` is what was found in reading the files.
    """
    every = list(examined)
    ignores = tuple(ignore for one in every for ignore in one.ignores)
    alone = replace(collective, services=())
    written = read_or_empty(collective.root / COLLECTIVE_FILE)  # findings name its lines
    facts = (alone, written, sorted(own), (collective.root / KEY_FILE).is_file(), tool(CODE, STARTED))
    digest = _hash(repr((facts, [one.digest for one in every])))
    kept = cache_folder() / "collectives" / f"{_hash(str(collective.root))}.json"
    lasting = all(one.digest for one in every)
    known = _recall_judged(kept, digest) if lasting else None
    if known:
        return known
    from darkpeak.deploy.judge import judge_together

    found = judge_together(collective, own, ignores)
    if lasting:
        keep(kept, json.dumps({"key": digest, "judged": pack(found)}).encode())
    return found


def _recall_judged(kept: Path, key: str) -> Judged | None:
    try:
        entry = json.loads(kept.read_bytes())
        found: Judged | None = unpack(Judged, entry["judged"]) if entry["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()


@cache
def tool(code: Path, now: int) -> str:
    """Return what changes with the code of this tool and the Python that runs it; empty if that is not known."""
    fingerprint = take(code, NOT_CODE)
    if not fingerprint or not fingerprint.is_settled(now):  # it may be other code than what runs
        return ""
    return f"{fingerprint.digest} {sys.version}"


def _read(root: Path, folder: Path, variables: Mapping[str, str]) -> Reading:
    return read_service_folder(root, folder, variables, resolve)


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
