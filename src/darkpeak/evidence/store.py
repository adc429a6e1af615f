"""Keep records on the daemon, where all admins see them, as the labels of empty volumes.

They are volumes because `docker system prune` does not remove volumes, but removes containers that never ran. (On
engines before 23, `docker volume prune` removes them, as it removes the data of every stopped service there.)
"""

import re
from contextlib import suppress
from datetime import UTC, datetime

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.evidence.record import R, Record, Records, to_text

LABEL = "darkpeak.record"
FACTS_LABEL = "darkpeak.facts"


def write(engine: Engine, record: Record) -> None:
    """Write a record, then remove the one before it.

    Raises:
        SystemFailure: when the engine does not write it.
    """
    label = f"{record.kind} {record.subject}"
    old = engine.volumes(f"{LABEL}={label}")
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
    about = re.sub(r"[^a-zA-Z0-9_.-]+", "-", record.subject)
    name = f"darkpeak-record-{record.kind}-{about}-{stamp}"
    engine.create_volume(name, {LABEL: label, FACTS_LABEL: to_text(record)})
    for item in old:
        forget(engine, item)


def read(engine: Engine) -> Records:
    """Return all records on an engine.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    return Records(tuple(labels.get(FACTS_LABEL, "") for labels in engine.volumes(LABEL).values()))


def find(engine: Engine, kind: type[R], subject: str) -> R | None:
    """Return the newest record of a kind for a subject, or None if there is none."""
    found = engine.volumes(f"{LABEL}={kind.kind} {subject}").values()
    return Records(tuple(labels.get(FACTS_LABEL, "") for labels in found)).find(kind, subject)


def remove(engine: Engine, kind: type[Record], subject: str) -> None:
    """Remove the record of a kind for a subject."""
    for item in engine.volumes(f"{LABEL}={kind.kind} {subject}"):
        forget(engine, item)


def forget(engine: Engine, volume: str) -> None:
    """Remove a record; a failure does no harm, since there is a newer record."""
    with suppress(SystemFailure):
        engine.remove_volume(volume)
