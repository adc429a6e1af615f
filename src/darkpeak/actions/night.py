"""The nightly jobs: back up, drill a service, scrub a part of each repository, prune, check updates, renew pages."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from darkpeak.actions import prune
from darkpeak.actions.backup import BackedUp, back_up_each
from darkpeak.actions.drill import Drilled, drill, drill_spoilt
from darkpeak.actions.image_updates import find_image_updates
from darkpeak.actions.level import record_levels
from darkpeak.actions.library_updates import find_library_updates
from darkpeak.actions.look_ahead import look_ahead
from darkpeak.actions.publish import renew
from darkpeak.actions.scrub import Scrubbed, scrub
from darkpeak.actions.session import Session, opened
from darkpeak.actions.up import PLAIN, plan_up
from darkpeak.actions.updates import Updates, find_updates
from darkpeak.actions.upgrade import upgrade
from darkpeak.collective import count
from darkpeak.collective.model import AUTO, Collective, Service
from darkpeak.deploy.authority import follow
from darkpeak.deploy.reach import ask_router
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.errors import CheckFailed, DarkpeakError, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.drills import DrillRecord, DrillTurnRecord, SpoiltDrillRecord
from darkpeak.evidence.measured import UpdatesRecord
from darkpeak.evidence.record import Records, age_days, now
from darkpeak.plan.certificates import list_certificates
from darkpeak.progress import Progress
from darkpeak.repository.key import Secret
from darkpeak.schedule.notices import Line

BACKUPS = "backups"  # what the line of an engine without a name is about
SPOILT_DAYS = 30.0  # how often the drill itself is tested on a damaged copy


def run_night(target: Target, secret: Secret, progress: Progress) -> list[Line]:
    """Run the jobs on one engine; return the results. A job that fails does not stop the others.

    Raises:
        SystemFailure: when the engine does not answer, or none of its repositories.
    """
    try:
        with opened(target, secret, progress) as session:
            return _run_jobs(session)
    except (UsageError, CheckFailed) as error:  # people must learn that nothing was saved, and other engines go on
        return [Line(target.host or BACKUPS, good=False, message=error.message)]


def end_night(targets: Sequence[Target]) -> list[Line]:
    """Measure the levels and renew the pages, of all engines together; return what failed, and lost levels."""
    lines: list[Line] = []
    try:
        lines += record_levels(targets)
    except DarkpeakError as error:
        lines.append(Line("levels", good=False, message=error.message))
    problem = renew(targets)
    return [*lines, Line("pages", good=False, message=problem)] if problem else lines


def _run_jobs(session: Session) -> list[Line]:
    running = session.target.running
    made = back_up_each(session, running, by_hand=False)
    lines: list[Line] = []
    drilled: dict[str, list[Drilled]] = {}
    try:
        drilled = _drill_next(session, running)
    except DarkpeakError as error:
        lines.append(Line("drill", good=False, message=error.message))
    _, unreachable = ask_router(session.target, session.engine.observe())
    late = find_updates(session.target, session.progress)
    upgraded = _upgrade(session, late, [item for item in made if item.good])
    if upgraded:
        late = find_updates(session.target, session.progress)
    _record_updates(session, late)
    for more in (find_library_updates, find_image_updates):  # what the tool does not upgrade by itself
        late = late.with_more(more([session.target], session.progress))
    for service, saved in zip(running, made, strict=True):
        line = _line(service, saved, drilled.get(service.name), late.of(service.name))
        line = _joined(line, upgraded.get(service.name))
        lines.append(_unreachable(line) if service.name in unreachable else line)
    lines += [_scrub_line(item) for item in scrub(session, whole=False)]
    try:
        prune.prune(session, prune.decide(session))
    except DarkpeakError as error:
        lines.append(Line("prune", good=False, message=error.message))
    try:
        lines += _certificate_lines(session)
    except DarkpeakError as error:
        lines.append(Line("certificates", good=False, message=error.message))
    try:
        lines += look_ahead(session)
    except DarkpeakError as error:
        lines.append(Line("alarms", good=False, message=error.message))
    return lines


def _upgrade(session: Session, late: Updates, saved: Sequence[BackedUp]) -> dict[str, Line]:
    """Upgrade the services that say so and are saved, one after another; return how that ended, by service.

    What an admin has changed in the files and not deployed yet is not deployed at night. Each service is upgraded at
    most once, so the router too restarts at most once.
    """
    done: dict[str, Line] = {}
    names = {item.service for item in saved}
    collective = session.target.collective
    for service in upgrade_order(collective, session.target.running):
        name = service.name
        if service.upgrade != AUTO or name not in names or not late.of(name).updates:
            continue
        waiting = [other for other in collective.depends_on(service) if other in done and not done[other].good]
        if waiting:
            message = f"not upgraded: it depends on {', '.join(waiting)}, which could not be upgraded"
            done[name] = Line(name, good=False, message=message)
        else:
            done[name] = _upgrade_one(session, service)
    return done


def _upgrade_one(session: Session, service: Service) -> Line:
    """Upgrade a service, unless its files are not deployed; return how that ended."""
    name, alone = service.name, session.target.only(service)
    try:
        if plan_up(alone).changes:
            return Line(name, good=True, message=f"not upgraded: first deploy its files: darkpeak up {name}")
        ended = upgrade(alone, session.progress, PLAIN, names=(name,), security=False, dry_run=False)
    except DarkpeakError as error:
        return Line(name, good=False, message=f"not upgraded: {error.message}")
    failure = "; ".join(item.failure for item in ended.result.failures) if ended.result else ""
    return Line(name, good=not failure, message=f"not upgraded: {failure}" if failure else ended.words(name))


def upgrade_order(collective: Collective, services: Iterable[Service]) -> list[Service]:
    """Return services so that each comes after those that it depends on: these must work when it starts anew."""
    wanted = {service.name: service for service in services}
    seen: set[str] = set()
    ordered: list[Service] = []

    def add(name: str) -> None:
        if name in wanted and name not in seen:  # services that depend on one another, which lint finds, end here
            seen.add(name)
            for other in collective.depends_on(wanted[name]):
                add(other)
            ordered.append(wanted[name])

    for name in wanted:
        add(name)
    return ordered


def _joined(line: Line, more: Line | None) -> Line:
    return Line(line.about, line.good and more.good, f"{line.message}; {more.message}") if more else line


def drill_order(found: Iterable[DrillRecord], names: Iterable[str], at: str) -> list[str]:
    """Return services in the order of their turns: those without any, then the one with the oldest.

    `found` are drills and turns in which a service could not be drilled; those after `at` are ignored.
    """
    last: dict[str, str] = {}
    for record in found:
        if record.when <= at:
            last[record.service] = max(record.when, last.get(record.service, ""))
    return sorted(names, key=lambda name: (last.get(name, ""), name))


def _drill_next(session: Session, running: Sequence[Service]) -> dict[str, list[Drilled]]:
    """Drill the service whose turn it is; return the results by name.

    A service without a snapshot has no turn. One that cannot be drilled loses it to the next, in this night too.
    """
    records = store.read(session.engine)
    turns = (*records.all(DrillRecord), *records.all(DrillTurnRecord))
    saved = {known.service for known in session.snapshots()}
    services = {service.name: service for service in running if service.name in saved}
    done: dict[str, list[Drilled]] = {}
    for name in drill_order(turns, services, now()):
        try:
            done[name] = [drill(session, services[name])]
        except DarkpeakError as error:
            done[name] = [Drilled(name, message=error.message)]
            store.write(session.engine, DrillTurnRecord(name, now(), "", good=False, message=error.message))
            continue
        done[name] += _test_drill(session, services[name], done[name][0], records)
        break
    return done


def _test_drill(session: Session, service: Service, drilled: Drilled, records: Records) -> list[Drilled]:
    """Once a month, test that the drill notices a damaged copy; an empty snapshot cannot be damaged."""
    tested = records.all(SpoiltDrillRecord)
    recent = any(abs(age_days(item.when, datetime.now(UTC))) < SPOILT_DAYS for item in tested)
    if recent or not drilled.good or not drilled.size:
        return []
    try:
        last = drill_spoilt(session, service)
        record = SpoiltDrillRecord(service.name, now(), last.snapshot, last.good, last.message)
        store.write(session.engine, record)
    except DarkpeakError as error:
        last = Drilled(service.name, message=error.message)
    return [last]


def _line(service: Service, made: BackedUp, drilled: list[Drilled] | None, late: Updates) -> Line:
    """Return the results of one service as a line."""
    words = [f"{made.snapshot} saved" if made.snapshot else "NOT SAVED"]
    words += [*made.failures, *made.suspicious, *made.notes]
    good = made.good and not made.suspicious
    if made.suspicious:
        words.append(f"if that is right, accept it: darkpeak backup {service.name}")
    for item in drilled or ():
        good = good and item.good
        words.append(f"drilled in {item.seconds:.0f} s" if item.good and item.seconds else item.message)
    words += _update_words(late)
    return Line(service.name, good, "; ".join(words))


def _record_updates(session: Session, late: Updates) -> None:
    """Record how many security updates each service lacks, and since when; not where that is unknown."""
    records = store.read(session.engine)
    for service in session.target.running:
        found = late.of(service.name)
        if not found.unknown:
            number = sum(item.security for item in found.updates)
            before = records.find(UpdatesRecord, service.name)
            store.write(session.engine, UpdatesRecord.after(before, service.name, now(), number))


def _unreachable(line: Line) -> Line:
    return Line(line.about, good=False, message=f"does not answer through the router; {line.message}")


def _update_words(late: Updates) -> list[str]:
    """Return the number of updates in words, and why it is unknown for a container."""
    urgent = sum(item.security for item in late.updates)
    security = f" ({urgent} of security)" if urgent else ""
    return [
        *([count(len(late.updates), "update") + security] if late.updates else ()),
        *(doubt.message for doubt in late.doubts()),
    ]


def _certificate_lines(session: Session) -> list[Line]:
    """Return a line for each certificate that the router could not get; if it still lasts for weeks, it is good."""
    target, observed = session.target, session.engine.observe()
    router = find_router(target.collective, target.engine, observed)
    if router is None:
        return []
    followed = [Line("certificates", good=False, message=line) for line in follow(target)]
    rows = list_certificates(target.collective, observed, router.certificates(), datetime.now(UTC).timestamp())
    failed = [Line(f"certificate of {row.names[0]}", not row.urgent, row.failed) for row in rows if row.failed]
    return [*followed, *failed]


def _scrub_line(item: Scrubbed) -> Line:
    return Line(item.repository or "a repository", item.good, item.message or f"{item.share} read back")
