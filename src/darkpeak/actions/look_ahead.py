"""What the nightly jobs see of a machine and its services: record it, and say what will soon be wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime

from darkpeak.actions.session import Session
from darkpeak.collective.model import Service
from darkpeak.engine.facts import gather
from darkpeak.evidence import store
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.machines import DiskRecord, MemoryRecord, RestartsRecord
from darkpeak.evidence.record import Records, now
from darkpeak.evidence.usage import UsageRecord
from darkpeak.levels import alarms
from darkpeak.plan.observed import Observed
from darkpeak.schedule.notices import Line


def look_ahead(session: Session) -> list[Line]:
    """Return what will soon be wrong on the engine and with its services, each thing once; record what was seen.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    target, at = session.target, datetime.now(UTC)
    records = store.read(session.engine)
    found = list(_of_machine(session, records))
    observed = session.engine.observe()
    for service in target.running:
        found += _of_service(session, service, observed, records)
        found += alarms.of_proofs(target.collective, service, records, at)
    once = {alarm.about: alarm.message for alarm in found}  # an admin of two services has one proof
    return [Line(about, good=False, message=message) for about, message in once.items()]


def _of_machine(session: Session, records: Records) -> Iterator[alarms.Alarm]:
    host, facts = session.target.host, gather(session.engine, session.target.collective)
    if not facts.machine:
        return
    last = next((item for item in records.all(DiskRecord) if item.host == host), None)
    disk = DiskRecord.after(last, host, now(), facts.machine.disk_free)
    store.write(session.engine, disk)
    yield from alarms.of_disk(disk)
    before = next((item for item in records.all(MemoryRecord) if item.host == host), None)
    memory = MemoryRecord.after(before, host, now(), facts.machine.memory_free, facts.memory_total)
    store.write(session.engine, memory)
    yield from alarms.of_memory(memory)


def _of_service(session: Session, service: Service, observed: Observed, records: Records) -> list[alarms.Alarm]:
    containers = observed.of(service.project)
    counts = tuple((item.id[:12], _restarts(session, item.id)) for item in containers)
    restarts = RestartsRecord(service.name, now(), counts)
    found = list(alarms.of_restarts(restarts, records.find(RestartsRecord, service.name)))
    store.write(session.engine, restarts)
    used = session.engine.usage(item.id for item in containers)
    saved = records.find(BackupRecord, service.name)
    data = sum(size for _, size in saved.sizes) if saved and saved.snapshot else None
    last = records.find(UsageRecord, service.name)
    store.write(session.engine, UsageRecord.after(last, service.name, now(), used, data))
    return found


def _restarts(session: Session, container: str) -> int:
    return int(session.engine.inspect(container).get("RestartCount", 0))
