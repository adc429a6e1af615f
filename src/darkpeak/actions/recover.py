"""The lost machine: every service brought up and restored on an empty daemon, what others rely on first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from darkpeak.actions.restore import find_snapshots, restore
from darkpeak.actions.session import Session
from darkpeak.actions.up import Deployer, UpResult
from darkpeak.collective.model import ROUTER, Collective, Service
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.evidence import records
from darkpeak.evidence.records import Record


@dataclass(frozen=True)
class Recovered:
    """What became of one service."""

    service: str
    done: str  # restored, left as it is, empty, failed
    snapshot_name: str = ""
    said: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nobody has to look after it."""
        return self.done != "failed"


def in_order(collective: Collective, services: Sequence[Service]) -> list[Service]:
    """Return services so that each comes after all that it relies on; the router first."""
    wanted = {service.name: service for service in services if service.runs}
    graph = {name: set(collective.depends_on(service)) & set(wanted) for name, service in sorted(wanted.items())}
    for name, before in graph.items():
        if name != ROUTER and ROUTER in wanted and name not in graph[ROUTER]:
            before.add(ROUTER)
    return [wanted[name] for name in TopologicalSorter(graph).static_order()]


def recover_all(session: Session, services: Sequence[Service]) -> Iterator[Recovered]:
    """Bring up and restore each service in turn; run again, it goes on where it stopped.

    A service that was there before is left as it is: what is on an empty daemon is only what we brought, and that is
    recorded there before we bring it.
    """
    session.require()
    place = session.place
    deployer = Deployer(place.collective, place.compose, session.progress)
    present = session.engine.observe()
    for service in in_order(place.collective, services):
        known = records.find(session.engine, records.RECOVER, service.name)
        if known is None and present.of(service.project):
            yield Recovered(service.name, "left as it is", said="it was there already: darkpeak restore brings it back")
        elif known and known.good:
            yield Recovered(service.name, "restored", known.snapshot_name, "before this run", known.seconds)
        else:
            yield _recover(session, deployer, service)


def _recover(session: Session, deployer: Deployer, service: Service) -> Recovered:
    records.write(session.engine, _record(Recovered(service.name, "failed", said="under way, or stopped")))
    try:
        _up(deployer.bring_up(frozenset({service.name})), service)
        done = _restore(session, service)
    except DarkpeakError as error:
        done = Recovered(service.name, "failed", said=error.message)
    records.write(session.engine, _record(done))
    return done


def _restore(session: Session, service: Service) -> Recovered:
    try:
        find_snapshots(session, service, None)
    except CheckFailed as error:
        return Recovered(service.name, "empty", said=error.message)
    restored = restore(session, service, None, keep=False)
    said = restored.verified or "it has no scripts/verify"
    return Recovered(service.name, "restored", restored.snapshot_name, said, restored.seconds)


def _up(result: UpResult, service: Service) -> None:
    failed = [item.failure for item in result.outcomes if item.failure]
    if failed:
        raise SystemFailure(f"{service.name} {failed[0]}")


def _record(done: Recovered) -> Record:
    return Record(records.RECOVER, done.service, records.now(), done.snapshot_name, done.good, done.said, done.seconds)
