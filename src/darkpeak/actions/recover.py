"""Start and restore all services on an empty daemon, after a machine was lost (`restore --all`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from darkpeak.actions.restore import find_snapshots, restore
from darkpeak.actions.session import Session
from darkpeak.actions.up import UpResult, bring_up
from darkpeak.collective.model import Collective, Service
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import RecoveryRecord
from darkpeak.evidence.ownership import require_ours
from darkpeak.evidence.record import now
from darkpeak.vocabulary import ROUTER

RESTORED, LEFT, EMPTY, FAILED = "restored", "not touched", "empty", "failed"


@dataclass(frozen=True)
class Recovered:
    """What was done with one service."""

    service: str
    done: str  # restored, not touched, empty, failed
    snapshot: str = ""
    message: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing needs attention."""
        return self.done != FAILED


def in_order(collective: Collective, services: Sequence[Service]) -> list[Service]:
    """Return services in an order in which each comes after those that it depends on; the router is first."""
    wanted = {service.name: service for service in services if service.runs}
    graph = {name: set(collective.depends_on(service)) & set(wanted) for name, service in sorted(wanted.items())}
    for name, before in graph.items():
        if name != ROUTER and ROUTER in wanted and name not in graph[ROUTER]:
            before.add(ROUTER)
    return [wanted[name] for name in TopologicalSorter(graph).static_order()]


def recover_all(session: Session) -> Iterator[Recovered]:
    """Start and restore each of the target's services; yield the results. Run again, it continues where it stopped.

    A service that was there before is not touched. Services that this function starts are recorded on the daemon first,
    so that they can be distinguished from those.
    """
    session.require()
    target = session.target
    require_ours(target.collective, target.engine, deploys=True)
    present = session.engine.observe()
    for service in in_order(target.collective, target.services):
        known = store.find(session.engine, RecoveryRecord, service.name)
        if service.name in target.collective.unsound:
            faults = [
                f"{fault.at}: {fault.what}" for fault in target.collective.faults if fault.at.service == service.name
            ]
            yield Recovered(service.name, FAILED, message="; ".join(faults))
        elif known is None and present.of(service.project):
            hint = f"it was there before; to restore it: darkpeak restore {service.name}"
            yield Recovered(service.name, LEFT, message=hint)
        elif known and known.good:
            yield Recovered(service.name, RESTORED, known.snapshot, "in an earlier run", known.seconds)
        else:
            yield _recover(session, service)


def require_all(done: Sequence[Recovered]) -> None:
    """Check that no service was left as it was.

    Raises:
        CheckFailed: when a service was there before, so that it was not restored.
    """
    left = [item.service for item in done if item.done == LEFT]
    if left:
        hint = "restore one of them: darkpeak restore SERVICE; or give up what is there, and begin again:"
        raise CheckFailed(
            f"not restored, because they were there before: {', '.join(left)}",
            hint=f"{hint} darkpeak down --volumes {' '.join(left)}",
        )


def _recover(session: Session, service: Service) -> Recovered:
    store.write(session.engine, _record(Recovered(service.name, FAILED, message="not finished")))
    try:
        alone = session.target.only(service)
        _check(bring_up(alone, session.progress), service)
        done = _restore(session, service)
    except DarkpeakError as error:
        done = Recovered(service.name, FAILED, message=error.message)
    store.write(session.engine, _record(done))
    return done


def _restore(session: Session, service: Service) -> Recovered:
    try:
        known = find_snapshots(session, service.name, None)[0]
    except CheckFailed as error:
        return Recovered(service.name, EMPTY, message=error.message)
    restored = restore(session, service, None, keep=False)
    if store.find(session.engine, BackupRecord, service.name) is None:  # the record was lost with the machine
        store.write(session.engine, BackupRecord(service.name, known.made, known.name, good=True, number=known.number))
    message = restored.verified or "not verified: it has no scripts/verify"
    return Recovered(service.name, RESTORED, restored.snapshot, message, restored.seconds)


def _check(result: UpResult, service: Service) -> None:
    if result.failures:
        raise SystemFailure(f"{service.name} {result.failures[0].failure}")


def _record(done: Recovered) -> RecoveryRecord:
    return RecoveryRecord(done.service, now(), done.snapshot, done.good, done.message, done.seconds)
