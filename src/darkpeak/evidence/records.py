"""What every admin must see, kept on the daemon: each service's newest set, and how its last drill went."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from darkpeak.engine.engine import Engine
from darkpeak.evidence import label_store as notes

LABEL = "darkpeak.record"
FACTS_LABEL = "darkpeak.facts"
BACKUP, DRILL, SPOILT, RESTORE, RECOVER = "backup", "drill", "spoilt", "restore", "recover"
SCRUB, NIGHT = "scrub", "night"


@dataclass(frozen=True)
class Record:
    """The last of a kind that happened to a service; of a scrub, to a repository."""

    kind: str
    service: str
    when: str
    snapshot_name: str
    good: bool
    said: str = ""
    seconds: float = 0.0
    sizes: tuple[tuple[str, int], ...] = ()
    number: int = 0
    seen: tuple[tuple[str, str, str], ...] = ()  # of each part its hash, and since when it has had it

    def age_days(self, now: datetime) -> float:
        """Return how long ago it was."""
        return (now - datetime.fromisoformat(self.when)).total_seconds() / 86400


def now() -> str:
    """Return the time, as it is written down everywhere."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(engine: Engine, record: Record) -> None:
    """Keep a record in the place of the one before it: the new one is there before the old one goes."""
    label = f"{record.kind} {record.service}"
    old = notes.read(engine, f"{LABEL}={label}")
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
    about = re.sub(r"[^a-zA-Z0-9_.-]+", "-", record.service)
    name = f"darkpeak-record-{record.kind}-{about}-{stamp}"
    notes.write(engine, name, {LABEL: label, FACTS_LABEL: json.dumps(asdict(record))})
    for item in old:
        notes.forget(engine, item)


def read(engine: Engine) -> list[Record]:
    """Return the newest record of each kind and service."""
    found: dict[tuple[str, str], Record] = {}
    for labels in notes.read(engine, LABEL).values():
        record = _parse(labels.get(FACTS_LABEL, ""))
        known = found.get((record.kind, record.service)) if record else None
        if record and (known is None or record.when >= known.when):
            found[record.kind, record.service] = record
    return [found[key] for key in sorted(found)]


def find(engine: Engine, kind: str, service: str) -> Record | None:
    """Return the last record of a kind for a service."""
    return next((item for item in read(engine) if (item.kind, item.service) == (kind, service)), None)


def _parse(text: str) -> Record | None:
    try:
        facts = json.loads(text)
        sizes = tuple((str(name), int(size)) for name, size in facts.pop("sizes"))
        seen = tuple((str(name), str(digest), str(since)) for name, digest, since in facts.pop("seen", ()))
        return Record(sizes=sizes, seen=seen, **facts)
    except (ValueError, KeyError, TypeError):
        return None
