"""What is asked for, as the router's table says, and what became of it, as we keep it in the volume."""

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
    """The lines of certificates.lst: whom to ask, and for which names; each certificate is known by its first."""

    acme: str = ""
    contact: str = ""
    hook: str = ""
    certificates: dict[str, list[str]] = field(default_factory=dict)
    trust: str | bool = True  # whom to trust that the CA is the CA: a file; or True, as the system does


@dataclass
class Record:
    """What became of one certificate. Times are seconds since 1970; 0 is never."""

    names: list[str]
    acme: str = ""  # the CA that it is from
    issuer: str = ""
    begin: float = 0
    until: float = 0
    renew: float = 0
    ask: float = 0  # when the CA is next asked about its window
    window: list[float] = field(default_factory=list)  # the time in which the CA would have it renewed
    failures: int = 0  # since the last success
    failed: str = ""  # why
    at: str = ""  # the CA that was asked then
    tried: float = 0
    again: float = 0

    def due(self, acme: str, names: list[str], now: float) -> bool:
        """Say whether to order it now."""
        if self.failures and self.at == acme and now < self.again:
            return False
        return (self.acme, self.names) != (acme, names) or now >= self.renew

    def next(self) -> float:
        """Return when to look at it again."""
        return self.again if self.failures else min(self.renew, self.ask)


def read_wanted(tables: Path = TABLES) -> Wanted:
    """Return what the table says; a line that makes no sense asks for nothing."""
    root = tables / "trust.pem"
    wanted = Wanted(trust=str(root) if root.exists() and root.stat().st_size else True)
    try:
        lines = (tables / "certificates.lst").read_text().splitlines()
    except FileNotFoundError:
        return wanted
    for key, *values in (line.split() for line in lines if line.strip()):
        if key == "certificate" and values:
            wanted.certificates[values[0]] = values
        elif key in {"acme", "contact", "hook"} and values:
            setattr(wanted, key, values[0])
    if not wanted.acme:
        wanted.certificates = {}
    return wanted


def parse_records(text: str) -> dict[str, Record]:
    """Return the records that a file holds; where it makes no sense, there are none."""
    try:
        return {name: Record(**values) for name, values in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def render_records(records: dict[str, Record]) -> str:
    """Return what the file holds; nothing stands for no records."""
    kept = {name: asdict(record) for name, record in sorted(records.items())}
    return json.dumps(kept, indent=1) + "\n" if kept else ""


def read_records() -> dict[str, Record]:
    """Return the records; without the file there are none."""
    return parse_records(RECORDS.read_text()) if RECORDS.exists() else {}


def write_records(records: dict[str, Record]) -> None:
    """Keep the records."""
    with alone():
        put(RECORDS, render_records(records).encode())


@contextmanager
def alone() -> Iterator[None]:
    """Keep everyone else from changing, reloading or saving what haproxy goes by meanwhile."""
    with (TABLES / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def put(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write a file whole or not at all. What is half written never lies where haproxy looks for certificates."""
    new = HOME / f"{path.name}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
