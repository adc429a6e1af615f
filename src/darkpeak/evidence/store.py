"""Where records are kept: on the daemon, for every admin to see, as the labels of empty volumes.

A volume, because `docker system prune` leaves volumes alone; it takes containers that never ran, and their labels.
(`docker volume prune` takes it on engines before 23, as it there takes the data of every service that is stopped.)
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
    """Keep a record in the place of the one before it: the new one is there before the old one goes.

    Raises:
        SystemFailure: when the engine does not take it.
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
    """Return everything that is recorded on an engine.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    return Records(tuple(labels.get(FACTS_LABEL, "") for labels in engine.volumes(LABEL).values()))


def find(engine: Engine, kind: type[R], subject: str) -> R | None:
    """Return the newest record of a kind for a subject."""
    return read(engine).find(kind, subject)


def forget(engine: Engine, volume: str) -> None:
    """Remove a record; one that cannot be removed now does no harm, since a newer one stands beside it."""
    with suppress(SystemFailure):
        engine.remove_volume(volume)
