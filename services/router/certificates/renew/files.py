"""The requested certificates, from the router's table, and their records, which we keep in the volume."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

TABLES = Path("/var/lib/router")
PUBLIC = Path("/var/lib/certificates/public")
HOME = Path("/var/lib/certificates/acme")
RECORDS = HOME / "records.json"


@dataclass
class Wanted:
    """The lines of certificates.lst: the CA, and the names of each certificate, which is known by its first name."""

    acme: str = ""
    contact: str = ""
    hook: str = ""
    redirect: str = ""  # "off": http does not lead to https
    certificates: dict[str, list[str]] = field(default_factory=dict)
    trust: str | bool = True  # the root of the CA's own https: a file; or True, for the system's roots


@dataclass
class Record:
    """The state of one certificate. Times are seconds since 1970; 0 is never."""

    names: list[str]
    acme: str = ""  # the CA that it is from
    issuer: str = ""
    begin: float = 0
    until: float = 0
    renew: float = 0
    ask: float = 0  # when to ask the CA next about the window
    window: list[float] = field(default_factory=list)  # the time in which the CA wants a renewal
    failures: int = 0  # since the last success
    failed: str = ""  # why
    at: str = ""  # the CA of the last attempt
    tried: float = 0
    again: float = 0

    def due(self, acme: str, names: list[str], now: float) -> bool:
        """Return whether to order it now."""
        if self.failures and self.at == acme and now < self.again:
            return False
        return (self.acme, self.names) != (acme, names) or now >= self.renew

    def next(self) -> float:
        """Return when to check it again."""
        return self.again if self.failures else min(self.renew, self.ask)


def read_wanted(tables: Path = TABLES) -> Wanted:
    """Return what the table requests; invalid lines are ignored."""
    root = tables / "trust.pem"
    wanted = Wanted(trust=str(root) if root.exists() and root.stat().st_size else True)
    try:
        lines = (tables / "certificates.lst").read_text().splitlines()
    except FileNotFoundError:
        return wanted
    for key, *values in (line.split() for line in lines if line.strip()):
        if key == "certificate" and values:
            wanted.certificates[values[0]] = values
        elif key in {"acme", "contact", "hook", "redirect"} and values:
            setattr(wanted, key, values[0])
    if not wanted.acme:
        wanted.certificates = {}
    return wanted


def parse_records(text: str) -> dict[str, Record]:
    """Return the records in a file's text; none if it is not valid."""
    try:
        return {name: Record(**values) for name, values in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def render_records(records: dict[str, Record]) -> str:
    """Return the file's text, empty if there are no records."""
    kept = {name: asdict(record) for name, record in sorted(records.items())}
    return json.dumps(kept, indent=1) + "\n" if kept else ""


def read_records() -> dict[str, Record]:
    """Return the records, none if there is no file."""
    return parse_records(RECORDS.read_text()) if RECORDS.exists() else {}


def make_trusted(wanted: Wanted, records: dict[str, Record]) -> list[str]:
    """Return a line NAME UNTIL for each name whose http leads to https; the time is in seconds since 1970."""
    if not wanted.acme or wanted.redirect == "off":
        return []
    return sorted(f"{name} {int(record.until)}" for record in records.values() if record.until for name in record.names)


def write_records(records: dict[str, Record]) -> None:
    """Write the records to their file."""
    with alone():
        put(RECORDS, render_records(records).encode())


@contextmanager
def alone() -> Iterator[None]:
    """Have the lock: nobody else changes, reloads or saves haproxy's files meanwhile."""
    with (TABLES / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def put(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write a file completely or not at all: haproxy must never find a partial certificate."""
    new = HOME / f"{path.name}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
