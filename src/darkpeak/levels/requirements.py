"""What alpha, beta and live require, one small function for each requirement. Pure.

They are those of the co-operative whose guide Darkpeak implements; docs/levels.md explains them to people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from darkpeak.collective import count
from darkpeak.collective.model import LEVELS
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.measured import UpdatesRecord
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.people import AdminRecord, ReviewRecord
from darkpeak.evidence.record import age_days
from darkpeak.evidence.summary import BACKUP_TERM, DRILL_TERM, NIGHT_TERM, is_overdue
from darkpeak.levels.facts import Facts
from darkpeak.lint.readme import missing_sections
from darkpeak.plan.status import HEALTHY
from darkpeak.uptime.measure import percent
from darkpeak.vocabulary import LEAST_ADMINS

ADMIN_TERM, REVIEW_TERM, SECURITY_TERM = 183.0, 366.0, 14.0  # days
MEASURED_LEAST = 30.0  # days of measurement before an uptime counts
ONE_NINE, TWO_NINES = 0.9, 0.99
FOR_ALL = 3  # admins of a service on which the collective depends: two and somebody of the board


@dataclass(frozen=True)
class Answer:
    """Whether a requirement is met, the evidence in words, and what to do if it is not met."""

    met: bool
    why: str
    next: str = ""


Levels = Mapping[str, str]  # the measured level of each service, by its name
Check = Callable[[Facts, Levels], Answer]


@dataclass(frozen=True)
class Requirement:
    """One requirement of a level, and of all levels above it."""

    level: str
    name: str
    check: Check
    from_engine: bool = True  # whether it needs what runs, or the records on the engine


def containers(facts: Facts, _: Levels) -> Answer:
    """It has containers: it is more than an idea."""
    number = len(facts.service.containers)
    return Answer(bool(number), count(number, "container"), "write services: with its containers")


def sound(facts: Facts, _: Levels) -> Answer:
    """Its files have no fault that stops a deploy."""
    found = f"{facts.faults[0].at}: {facts.faults[0].what}" if facts.faults else "no fault in its files"
    return Answer(not facts.faults, found, f"darkpeak lint {facts.service.name}")


def sections(level: str, facts: Facts, _: Levels) -> Answer:
    """Its README has the sections that a level asks for."""
    missing = missing_sections(facts.service, level)
    said = f"the README lacks: {', '.join(missing)}" if missing else "the README has its sections"
    return Answer(not missing, said, "write them; the headings may have other words")


def runs(facts: Facts, _: Levels) -> Answer:
    """It runs, and answers through the router."""
    return Answer(facts.state == HEALTHY, facts.state, f"darkpeak logs {facts.service.name}")


def nines(least: float, facts: Facts, _: Levels) -> Answer:
    """It answered for so much of the last 90 days."""
    if facts.uptime is None:
        how = "start the prober: darkpeak up router"
        if not facts.service.routes and not any(port.protocol == "tcp" for port in facts.service.ports):
            how = "give it a route, or publish a TCP port on loopback: the prober asks it there"
        return Answer(met=False, why="its uptime is not measured", next=how)
    share, days = facts.uptime.share, facts.uptime.days
    said = f"{percent(share, 2)} of {days:.0f} days"
    if days < MEASURED_LEAST:
        return Answer(met=False, why=f"only {said} measured", next=f"wait: {MEASURED_LEAST:.0f} days are needed")
    return Answer(share >= least, said, f"at least {least:.0%} is needed; see darkpeak uptime {facts.service.name}")


def admins(facts: Facts, _: Levels) -> Answer:
    """Enough admins proved that they can do something; for what all depend on, one of them is on the board."""
    least = LEAST_ADMINS if facts.service.kind == "user" else FOR_ALL
    proved = [name for name in dict.fromkeys(facts.service.admins) if not _unproved(facts, name)]
    open_ = [f"{name} {_unproved(facts, name)}" for name in dict.fromkeys(facts.service.admins) if name not in proved]
    said = f"proved: {', '.join(proved) or 'nobody'}" + f"; {'; '.join(open_)}" * bool(open_)
    board = {admin.name for admin in facts.collective.admins if admin.board}
    if len(proved) < least:
        more = least - len(set(facts.service.admins))
        new = f"find {'a co-admin' if more == 1 else f'{more} more admins'}; " * (more > 0)
        return Answer(met=False, why=said, next=f"{new}each admin runs: darkpeak admin check")
    if facts.service.kind != "user" and not board & set(proved):
        return Answer(met=False, why=f"{said}; none of them is on the board", next="name an admin with board = true")
    return Answer(met=True, why=said)


def _unproved(facts: Facts, name: str) -> str:
    """Return in words why an admin counts as not proved; empty if the admin is."""
    record = facts.records.find(AdminRecord, name)
    if record is None:
        return "never proved their access"
    if is_overdue(record.when, ADMIN_TERM, facts.now):
        return f"proved it {_ago(record.when, facts)}"
    if not record.opens_key:
        return "cannot open the backup key"
    return "" if record.is_member else "is not in the directory"


def in_git(facts: Facts, _: Levels) -> Answer:
    """What runs is what the files say, and the files are committed."""
    name = facts.service.name
    if facts.drift:
        return Answer(met=False, why="; ".join(facts.drift), next=f"see darkpeak plan {name}, then darkpeak up {name}")
    if not facts.commit:
        return Answer(met=False, why="git has no commit of its folder, or may not read it", next="commit it")
    if facts.commit.endswith("+"):
        what = f"its folder has changes since {facts.commit[:-1]} that are not committed"
        return Answer(met=False, why=what, next="commit them")
    return Answer(met=True, why=f"commit {facts.commit}; what runs is what the files say")


def review(least: str, facts: Facts, _: Levels) -> Answer:
    """Somebody looked at it within a year, and agreed to this level."""
    record = facts.records.find(ReviewRecord, facts.service.name)
    how = f"look at it together, then darkpeak review {facts.service.name}"
    if record is None:
        return Answer(met=False, why="never reviewed", next=how)
    said = f"by {record.who}, {_ago(record.when, facts)}, as {record.level}"
    fresh = not is_overdue(record.when, REVIEW_TERM, facts.now)
    return Answer(fresh and rank(record.level) >= rank(least), said, how)


def depends_on(least: str, facts: Facts, levels: Levels) -> Answer:
    """All infrastructure that it depends on has at least this level, as measured."""
    low = [f"{name} is {levels[name]}" for name in facts.infrastructure if _below(levels, name, least)]
    said = [name if name in levels else f"{name} on another host was not asked" for name in facts.infrastructure]
    names = ", ".join(said) or "no infrastructure"
    first = next((name for name in facts.infrastructure if _below(levels, name, least)), "")
    return Answer(not low, "; ".join(low) or names, f"see darkpeak level {first}" if first else "")


def _below(levels: Levels, name: str, least: str) -> bool:
    return name in levels and rank(levels[name]) < rank(least)


def backup(facts: Facts, _: Levels) -> Answer:
    """It was saved automatically: a good snapshot that is new enough, and nights that run."""
    name = facts.service.name
    if not facts.service.owns_data:
        return Answer(met=True, why="it has no data of its own")
    record = facts.records.find(BackupRecord, name)
    if record is None or not record.good:
        why = "; ".join(record.problems) if record else "never saved"
        return Answer(met=False, why=why, next=f"darkpeak backup {name}")
    if is_overdue(record.when, BACKUP_TERM, facts.now):
        return Answer(met=False, why=f"{record.snapshot} {_ago(record.when, facts)}", next="darkpeak nightly --install")
    night = facts.records.find(NightRecord, facts.collective.name)
    if not facts.night and (night is None or is_overdue(night.when, NIGHT_TERM, facts.now)):
        why = f"the nightly jobs ran {_ago(night.when, facts)}" if night else "the nightly jobs never ran"
        return Answer(met=False, why=why, next="darkpeak nightly --install")
    return Answer(met=True, why=f"{record.snapshot} {_ago(record.when, facts)}")


def restore(facts: Facts, _: Levels) -> Answer:
    """A restore was tried within five weeks, and worked."""
    if not facts.service.owns_data:
        return Answer(met=True, why="it has no data of its own")
    record, how = facts.records.find(DrillRecord, facts.service.name), f"darkpeak drill {facts.service.name}"
    if record is None:
        return Answer(met=False, why="never drilled", next=how)
    said = f"{record.snapshot} drilled {_ago(record.when, facts)}"
    if not record.good:
        return Answer(met=False, why=f"{said}: {record.message}", next=how)
    return Answer(not is_overdue(record.when, DRILL_TERM, facts.now), said, how)


def key(facts: Facts, _: Levels) -> Answer:
    """Two admins can open the backup key, one of them of the board."""
    board = {admin.name for admin in facts.collective.admins if admin.board}
    said = f"opens for {', '.join(facts.openers) or 'nobody'}"
    if len(facts.openers) < LEAST_ADMINS:
        return Answer(met=False, why=said, next="darkpeak key add ADMIN" if facts.openers else "darkpeak backup init")
    if not board & set(facts.openers):
        return Answer(
            met=False, why=f"{said}; none is on the board", next="darkpeak key add, for an admin of the board"
        )
    return Answer(met=True, why=said)


def updates(facts: Facts, _: Levels) -> Answer:
    """No security update has been missing for longer than two weeks."""
    record = facts.records.find(UpdatesRecord, facts.service.name)
    if record is None or is_overdue(record.when, NIGHT_TERM, facts.now):
        return Answer(met=False, why="it is not known which updates are missing", next="darkpeak nightly --install")
    if not record.security:
        return Answer(met=True, why="no security update is missing")
    said = f"{count(record.security, 'security update')} missing since {record.since[:10]}"
    late = is_overdue(record.since, SECURITY_TERM, facts.now)
    return Answer(not late, said, f"darkpeak updates {facts.service.name}")


def certificate(facts: Facts, _: Levels) -> Answer:
    """The certificates of its names are valid, and are renewed."""
    wrong = "; ".join(facts.certificates)
    return Answer(not wrong, wrong or "no certificate failed", "darkpeak certificates")


def rank(level: str) -> int:
    """Return a level's place: idea is 0, live is 3; what is no level is below all."""
    return LEVELS.index(level) if level in LEVELS else -1


def _ago(when: str, facts: Facts) -> str:
    days = age_days(when, facts.now)
    return f"{days * 24:.0f} h ago" if 0 <= days < 2 else f"{days:.0f} days ago"  # noqa: PLR2004 (two days)


REQUIREMENTS = (
    Requirement("alpha", "containers", containers, from_engine=False),
    Requirement("alpha", "sound files", sound, from_engine=False),
    Requirement("alpha", "how to use and run it", partial(sections, "alpha"), from_engine=False),
    Requirement("beta", "admins", admins),
    Requirement("beta", "runs", runs),
    Requirement("beta", "one nine", partial(nines, ONE_NINE)),
    Requirement("beta", "design and data written down", partial(sections, "beta"), from_engine=False),
    Requirement("beta", "all in git", in_git),
    Requirement("beta", "depends on beta or better", partial(depends_on, "beta")),
    Requirement("beta", "yearly review", partial(review, "beta")),
    Requirement("live", "two nines", partial(nines, TWO_NINES)),
    Requirement("live", "automatic backup", backup),
    Requirement("live", "restore that works", restore),
    Requirement("live", "operations guide and security", partial(sections, "live"), from_engine=False),
    Requirement("live", "key in two hands", key, from_engine=False),
    Requirement("live", "security updates", updates),
    Requirement("live", "certificate", certificate),
    Requirement("live", "depends on live", partial(depends_on, "live")),
    Requirement("live", "yearly review as live", partial(review, "live")),
)
