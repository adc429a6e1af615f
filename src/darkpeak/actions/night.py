"""One night: everything backed up, a share read back, one service drilled, old sets gone, updates asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.actions import care
from darkpeak.actions.backup import Made, make_snapshot
from darkpeak.actions.care import Scrubbed
from darkpeak.actions.drill import Drilled, drill, drill_spoilt
from darkpeak.actions.session import Session
from darkpeak.actions.up import find_router
from darkpeak.collective.model import Service
from darkpeak.errors import DarkpeakError
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.plan.certificates import list_certificates

SPOILT_DAYS = 30.0  # how often the drill itself is tried out on a spoilt set


@dataclass(frozen=True)
class Line:
    """What a person reads of one service, or of one repository."""

    about: str
    good: bool
    said: str


def run_night(session: Session, services: Sequence[Service]) -> list[Line]:
    """Do it all; what fails is a line of its own, and holds up nothing else."""
    running = [service for service in services if service.runs]
    made = {service.name: make_snapshot(session, service, by_hand=False) for service in running}
    drilled = _drill_one(session, running)
    lines = [_line(session, service, made[service.name], drilled.get(service.name)) for service in running]
    lines += [_scrub_line(item) for item in care.scrub(session, whole=False)]
    try:
        care.prune(session, care.decide(session))
    except DarkpeakError as error:
        lines.append(Line("prune", good=False, said=error.message))
    try:
        lines += _certificate_lines(session)
    except DarkpeakError as error:
        lines.append(Line("certificates", good=False, said=error.message))
    return lines


def next_to_drill(found: Iterable[Record], names: Sequence[str], now: str) -> str:
    """Return the service whose last drill is the longest ago, or that never had one; one of a later date is none."""
    last = {record.service: record.when for record in found if record.kind == records.DRILL and record.when <= now}
    return min(names, key=lambda name: (last.get(name, ""), name))


def _drill_one(session: Session, running: Sequence[Service]) -> dict[str, list[Drilled]]:
    """Drill one service in turn; once a month, see that the drill finds a spoilt set too."""
    if not running:
        return {}
    found = records.read(session.engine)
    name = next_to_drill(found, [service.name for service in running], records.now())
    service = next(item for item in running if item.name == name)
    try:
        done = [drill(session, service)]
        tried = [item for item in found if item.kind == records.SPOILT]
        if done[0].good and not any(abs(item.age_days(datetime.now(UTC))) < SPOILT_DAYS for item in tried):
            done.append(drill_spoilt(session, service))
            last = done[-1]
            fact = Record(records.SPOILT, name, records.now(), last.snapshot_name, last.good, last.said)
            records.write(session.engine, fact)
    except DarkpeakError as error:
        done = [Drilled(name, good=False, said=error.message)]
    return {name: done}


def _line(session: Session, service: Service, made: Made, drilled: list[Drilled] | None) -> Line:
    """Say in one line how a service is."""
    said = [
        f"{made.snapshot_name} saved" if made.snapshot_name else "NOT SAVED",
        *made.failures,
        *made.odd,
        *made.notes,
    ]
    good = made.good and not made.odd
    if made.odd:
        said.append(f"darkpeak backup {service.name}, by hand, takes it as right")
    for item in drilled or ():
        good = good and item.good
        said.append(f"drilled in {item.seconds:.0f} s" if item.good and item.seconds else item.said)
    asked = session.place.compose.script_kept(service, "updates")
    late = asked.stdout.decode(errors="replace").splitlines()
    if asked.code:
        said.append("its updates could not be asked for")
    elif late:
        said.append(f"{len(late)} updates")
    return Line(service.name, good, "; ".join(said))


def _certificate_lines(session: Session) -> list[Line]:
    """Say which certificates the router here could not get; those that still last for weeks are no alarm."""
    place, observed = session.place, session.engine.observe()
    router = find_router(place.collective, place.compose, observed)
    if router is None:
        return []
    rows = list_certificates(place.collective, observed, router.certificates(), datetime.now(UTC).timestamp())
    return [Line(f"certificate of {row.names[0]}", not row.urgent, row.failed) for row in rows if row.failed]


def _scrub_line(item: Scrubbed) -> Line:
    return Line(item.repository or "a repository", item.good, item.said or f"{item.share} read back")
