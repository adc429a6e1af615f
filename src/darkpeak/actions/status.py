"""The status of services: their containers, requests, newest backups and last drills."""

from dataclasses import replace
from datetime import UTC, datetime

from darkpeak.deploy.reach import find_rows
from darkpeak.deploy.target import Target
from darkpeak.plan.status import ServiceStatus


def find_status(target: Target) -> list[ServiceStatus]:
    """Return a row for each service of the target.

    Raises:
        SystemFailure: when the daemon does not answer.
    """
    found = find_rows(target, target.engine.observe())
    return _with_proofs(target, found) if target.collective.backup.repositories else found


def _with_proofs(target: Target, rows: list[ServiceStatus]) -> list[ServiceStatus]:
    """Return the rows with each service's newest backup and last drill, and when the nightly jobs last ran."""
    from darkpeak.evidence import store, summary
    from darkpeak.evidence.measured import LevelRecord

    records, now = store.read(target.engine), datetime.now(UTC)
    proofs = summary.describe(records, [service.name for service in target.running], now)
    night = summary.describe_night(records, target.collective.name, now)
    none = summary.Proofs("", "")
    levels = {item.service: item.level for item in records.all(LevelRecord)}
    found = [(row, proofs.get(row.service, none)) for row in rows]
    return [
        replace(
            row,
            saved=proof.saved,
            drilled=proof.drilled,
            nightly=night,
            measured=levels.get(row.service, ""),
        )
        for row, proof in found
    ]
