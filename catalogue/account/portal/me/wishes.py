"""What a member asks an admin for, as files: a copy of all data, and to be forgotten; and the copy."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path("/var/lib/account/wishes")
COPIES = Path("/var/lib/account/copies")
KINDS = ("export", "forget")
DAYS = 7  # for which a copy can be fetched; `serve` removes it then
UID = re.compile(r"[a-z][a-z0-9._-]{0,31}")


@dataclass(frozen=True)
class Wishes:
    """On which day the member has asked for what, and until which day the copy can be fetched; empty if not."""

    export: str = ""
    forget: str = ""
    until: str = ""


def read(uid: str) -> Wishes:
    """Return what the member has asked for."""
    export, forget = (_day(FOLDER / kind / _checked(uid)) for kind in KINDS)
    return Wishes(export, forget, _day(copy_of(uid), DAYS))


def wish(uid: str, kind: str) -> None:
    """Write down what the member asks for; the day of the first time stays."""
    with suppress(FileExistsError):
        (FOLDER / kind / _checked(uid)).touch(exist_ok=False)


def withdraw(uid: str, kind: str) -> None:
    """Forget what the member has asked for."""
    (FOLDER / kind / _checked(uid)).unlink(missing_ok=True)


def copy_of(uid: str) -> Path:
    """Return the file with the copy of the member's data, which need not exist."""
    return COPIES / f"{_checked(uid)}.zip"


def _checked(uid: str) -> str:
    if not UID.fullmatch(uid):
        raise ValueError(f"{uid!r} is no name of a member")
    return uid


def _day(file: Path, more: int = 0) -> str:
    """Return the day on which a file was written, or some days later; empty if there is none, or if that is over."""
    try:
        written = file.stat().st_mtime
    except FileNotFoundError:
        return ""
    end = written + more * 86400
    return "" if more and end < time.time() else f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d}"
