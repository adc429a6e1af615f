"""The lost machine: every service brought up and restored on an empty daemon, what others depend on first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from darkpeak.actions.restore import find_snapshots, restore
from darkpeak.actions.session import Session
from darkpeak.actions.up import UpResult, bring_up
from darkpeak.collective.model import Collective, Service
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.drills import RecoveryRecord
from darkpeak.evidence.record import now
from darkpeak.vocabulary import ROUTER

RESTORED, LEFT, EMPTY, FAILED = "restored", "left as it is", "empty", "failed"


@dataclass(frozen=True)
class Recovered:
    """What became of one service."""

    service: str
    done: str  # restored, left as it is, empty, failed
    snapshot: str = ""
    message: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing needs attention."""
        return self.done != FAILED


def in_order(collective: Collective, services: Sequence[Service]) -> list[Service]:
    """Return services so that each comes after all that it depends on; the router first."""
    wanted = {service.name: service for service in services if service.runs}
    graph = {name: set(collective.depends_on(service)) & set(wanted) for name, service in sorted(wanted.items())}
    for name, before in graph.items():
        if name != ROUTER and ROUTER in wanted and name not in graph[ROUTER]:
            before.add(ROUTER)
    return [wanted[name] for name in TopologicalSorter(graph).static_order()]


def recover_all(session: Session) -> Iterator[Recovered]:
    """Bring up and restore each of the target's services in turn; run again, it goes on where it stopped.

    A service that was there before is left as it is: what is on an empty daemon is only what we brought, and that is
    recorded there before we bring it.
    """
    session.require()
    target = session.target
    present = session.engine.observe()
    for service in in_order(target.collective, target.services):
        known = store.find(session.engine, RecoveryRecord, service.name)
        if known is None and present.of(service.project):
            hint = f"it was there already; darkpeak restore {service.name} restores it"
            yield Recovered(service.name, LEFT, message=hint)
        elif known and known.good:
            yield Recovered(service.name, RESTORED, known.snapshot, "before this run", known.seconds)
        else:
            yield _recover(session, service)


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
        find_snapshots(session, service, None)
    except CheckFailed as error:
        return Recovered(service.name, EMPTY, message=error.message)
    restored = restore(session, service, None, keep=False)
    message = restored.verified or "it has no scripts/verify"
    return Recovered(service.name, RESTORED, restored.snapshot, message, restored.seconds)


def _check(result: UpResult, service: Service) -> None:
    if result.failures:
        raise SystemFailure(f"{service.name} {result.failures[0].failure}")


def _record(done: Recovered) -> RecoveryRecord:
    return RecoveryRecord(done.service, now(), done.snapshot, done.good, done.message, done.seconds)
