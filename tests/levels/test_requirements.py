"""Each requirement of each level, met and not met; and what one service's fall does to those that depend on it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from darkpeak.collective.model import Collective, Container, Finding, NamedRoute, Place, Routes, Service, Shared
from darkpeak.collective.settings import Admin
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.measured import LevelRecord, UpdatesRecord
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.people import AdminRecord, ReviewRecord
from darkpeak.evidence.record import Record, Records, to_text
from darkpeak.levels.facts import Facts
from darkpeak.levels.judge import Judged, is_lost, judge
from darkpeak.levels.requirements import REQUIREMENTS
from darkpeak.uptime.measure import DAY_SECONDS, Uptime

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
HERE = Place("services/wiki/docker-compose.yml", 1)
ADA, GRACE, MO = Admin("ada", board=True), Admin("grace"), Admin("mo")
HEADINGS = "Use it, Run it, How it is made, Backup, Restart, Upgrade, Restore, Remove, Move, Security"
README = "".join(f"## {heading}\n" for heading in HEADINGS.split(", "))
TODAY, LAST_NIGHT = "2026-06-30T11:00:00+00:00", "2026-06-30T03:00:00+00:00"
RECORDS: tuple[Record, ...] = (
    AdminRecord("ada", TODAY, opens_key=True, is_member=True),
    AdminRecord("grace", TODAY, opens_key=True, is_member=True),
    AdminRecord("mo", TODAY, opens_key=True, is_member=True),
    BackupRecord("wiki", LAST_NIGHT, "wiki-17", good=True),
    DrillRecord("wiki", "2026-06-20T12:00:00+00:00", "wiki-12", good=True),
    NightRecord("Peak", LAST_NIGHT),
    ReviewRecord("wiki", "2026-01-10T12:00:00+00:00", "grace@laptop", "live"),
    UpdatesRecord("wiki", LAST_NIGHT, 0),
)


def live(tmp_path: Path) -> Facts:
    """Return a service that has all that live requires."""
    (tmp_path / "README.md").write_text(README)
    wiki = Service(
        "wiki",
        tmp_path,
        HERE,
        level="live",
        admins=("ada", "grace"),
        routes=Routes(http=(NamedRoute("wiki", 6010, HERE),)),
        containers=(Container("webserver", HERE),),
        volume_keys=("data",),
    )
    collective = Collective(tmp_path, "Peak", "localhost", (ADA, GRACE, MO), (wiki,))
    return Facts(
        collective,
        wiki,
        NOW,
        keep(*RECORDS),
        openers=("ada", "grace"),
        state="healthy",
        commit="abc1234",
        uptime=answered(0.995, 90),
    )


def answered(share: float, days: float) -> Uptime:
    """Return that it answered for a share of so many days."""
    seconds = round(days * DAY_SECONDS)
    return Uptime(round(share * seconds), seconds - round(share * seconds))


def keep(*records: Record) -> Records:
    return Records(tuple(map(to_text, records)))


def but(facts: Facts, record: Record) -> Facts:
    """Return the same with another record of its kind and subject."""
    others = (one for one in RECORDS if (one.kind, one.subject) != (record.kind, record.subject))
    return replace(facts, records=keep(*others, record))


def without(facts: Facts, kind: type[Record], subject: str = "wiki") -> Facts:
    """Return the same without a record."""
    return replace(facts, records=keep(*(one for one in RECORDS if (one.kind, one.subject) != (kind.kind, subject))))


def changed(facts: Facts, **values: object) -> Facts:
    """Return the same for a service with other values."""
    service = replace(facts.service, **values)  # type: ignore[arg-type] # any field
    return replace(facts, service=service, collective=replace(facts.collective, services=(service,)))


def headings(facts: Facts, *left_out: str) -> Facts:
    text = "".join(line for line in README.splitlines(keepends=True) if line.strip("# \n") not in left_out)
    (facts.service.folder / "README.md").write_text(text)
    return facts


def board(facts: Facts, *people: Admin) -> Facts:
    return replace(facts, collective=replace(facts.collective, admins=people))


def one(facts: Facts) -> Judged:
    return judge([facts])[0]


def test_a_service_with_all_evidence_is_live(tmp_path: Path) -> None:
    judged = one(live(tmp_path))
    assert [row for row in judged.rows if not row.met] == []
    assert (judged.measured, judged.kept, judged.lacks) == ("live", True, "")


FAULT = Finding(HERE, "yaml", "duplicate key 'ports'", "fix it")
LATE = "2025-12-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("requirement", "measured", "breaking", "why"),
    [
        ("containers", "idea", lambda facts: changed(facts, containers=()), "0 containers"),
        ("sound files", "idea", lambda facts: replace(facts, faults=(FAULT,)), f"{HERE}: duplicate key 'ports'"),
        ("how to use and run it", "idea", lambda facts: headings(facts, "Use it"), "the README lacks: Use it"),
        (
            "admins",
            "alpha",
            lambda facts: without(facts, AdminRecord, "grace"),
            "proved: ada; grace never proved their access",
        ),
        (
            "admins",
            "alpha",
            lambda facts: but(facts, AdminRecord("grace", LATE, opens_key=True, is_member=True)),
            "proved: ada; grace proved it 211 days ago",
        ),
        (
            "admins",
            "alpha",
            lambda facts: but(facts, AdminRecord("grace", TODAY, opens_key=False, is_member=True)),
            "proved: ada; grace cannot open the backup key",
        ),
        (
            "admins",
            "alpha",
            lambda facts: but(facts, AdminRecord("grace", TODAY, opens_key=True, is_member=False)),
            "proved: ada; grace is not in the directory",
        ),
        ("admins", "alpha", lambda facts: changed(facts, admins=("ada",)), "proved: ada"),
        ("admins", "alpha", lambda facts: changed(facts, admins=("ada", "ada")), "proved: ada"),
        ("admins", "alpha", lambda facts: changed(facts, kind="co-op"), "proved: ada, grace"),
        (
            "admins",
            "alpha",
            lambda facts: board(
                changed(facts, kind="infrastructure", admins=("ada", "grace", "mo")), Admin("ada"), GRACE, MO
            ),
            "proved: ada, grace, mo; none of them is on the board",
        ),
        ("runs", "alpha", lambda facts: replace(facts, state="unreachable"), "unreachable"),
        ("one nine", "alpha", lambda facts: replace(facts, uptime=None), "its uptime is not measured"),
        ("one nine", "alpha", lambda facts: replace(facts, uptime=answered(0.899, 90)), "89.90% of 90 days"),
        (
            "one nine",
            "alpha",
            lambda facts: replace(facts, uptime=answered(1, 29.4)),
            "only 100.00% of 29 days measured",
        ),
        ("design and data written down", "alpha", lambda facts: headings(facts, "Backup"), "the README lacks: Backup"),
        (
            "all in git",
            "alpha",
            lambda facts: replace(facts, drift=("webserver: docker-compose.yml changed",)),
            "webserver: docker-compose.yml changed",
        ),
        (
            "all in git",
            "alpha",
            lambda facts: replace(facts, commit="abc1234+"),
            "its folder has changes since abc1234 that are not committed",
        ),
        (
            "all in git",
            "alpha",
            lambda facts: replace(facts, commit=""),
            "git has no commit of its folder, or may not read it",
        ),
        ("yearly review", "alpha", lambda facts: without(facts, ReviewRecord), "never reviewed"),
        (
            "yearly review",
            "alpha",
            lambda facts: but(facts, ReviewRecord("wiki", "2025-06-20T12:00:00+00:00", "mo@desk", "live")),
            "by mo@desk, 375 days ago, as live",
        ),
        (
            "yearly review",
            "alpha",
            lambda facts: but(facts, ReviewRecord("wiki", TODAY, "mo@desk", "alpha")),
            "by mo@desk, 1 h ago, as alpha",
        ),
        (
            "yearly review as live",
            "beta",
            lambda facts: but(facts, ReviewRecord("wiki", TODAY, "mo@desk", "beta")),
            "by mo@desk, 1 h ago, as beta",
        ),
        ("two nines", "beta", lambda facts: replace(facts, uptime=answered(0.9899, 90)), "98.98% of 90 days"),
        ("automatic backup", "beta", lambda facts: without(facts, BackupRecord), "never saved"),
        (
            "automatic backup",
            "beta",
            lambda facts: but(facts, BackupRecord("wiki", LAST_NIGHT, "", good=False, problems=("no dump",))),
            "no dump",
        ),
        (
            "automatic backup",
            "beta",
            lambda facts: but(facts, BackupRecord("wiki", "2026-06-27T03:00:00+00:00", "wiki-14", good=True)),
            "wiki-14 3 days ago",
        ),
        ("automatic backup", "beta", lambda facts: without(facts, NightRecord, "Peak"), "the nightly jobs never ran"),
        (
            "automatic backup",
            "beta",
            lambda facts: but(facts, NightRecord("Peak", "2026-06-26T12:00:00+00:00")),
            "the nightly jobs ran 4 days ago",
        ),
        ("restore that works", "beta", lambda facts: without(facts, DrillRecord), "never drilled"),
        (
            "restore that works",
            "beta",
            lambda facts: but(facts, DrillRecord("wiki", TODAY, "wiki-17", good=False, message="it stayed empty")),
            "wiki-17 drilled 1 h ago: it stayed empty",
        ),
        (
            "restore that works",
            "beta",
            lambda facts: but(facts, DrillRecord("wiki", "2026-05-20T12:00:00+00:00", "wiki-3", good=True)),
            "wiki-3 drilled 41 days ago",
        ),
        (
            "operations guide and security",
            "beta",
            lambda facts: headings(facts, "Move", "Security"),
            "the README lacks: Move, Security",
        ),
        ("key in two hands", "beta", lambda facts: replace(facts, openers=("ada",)), "opens for ada"),
        ("key in two hands", "beta", lambda facts: replace(facts, openers=()), "opens for nobody"),
        (
            "key in two hands",
            "beta",
            lambda facts: replace(facts, openers=("grace", "mo")),
            "opens for grace, mo; none is on the board",
        ),
        (
            "security updates",
            "beta",
            lambda facts: without(facts, UpdatesRecord),
            "it is not known which updates are missing",
        ),
        (
            "security updates",
            "beta",
            lambda facts: but(facts, UpdatesRecord("wiki", "2026-06-20T03:00:00+00:00", 0)),
            "it is not known which updates are missing",
        ),
        (
            "security updates",
            "beta",
            lambda facts: but(facts, UpdatesRecord("wiki", LAST_NIGHT, 2, "2026-06-10T03:00:00+00:00")),
            "2 security updates missing since 2026-06-10",
        ),
        (
            "certificate",
            "beta",
            lambda facts: replace(facts, certificates=("wiki.peak.test: the CA refused",)),
            "wiki.peak.test: the CA refused",
        ),
    ],
)
def test_a_requirement_that_is_not_met_takes_the_level_away(
    requirement: str, measured: str, breaking: object, why: str, tmp_path: Path
) -> None:
    assert callable(breaking)
    judged = one(breaking(live(tmp_path)))
    missing = [row for row in judged.rows if not row.met]
    assert {row.requirement: row.why for row in missing}[requirement] == why
    assert all(row.next for row in missing), "it says what to do"
    assert (judged.measured, judged.kept) == (measured, False)


def test_each_requirement_is_broken_above() -> None:
    """A requirement that no case breaks might be one that cannot fail; the two about others are tested below."""
    marks = test_a_requirement_that_is_not_met_takes_the_level_away.pytestmark  # type: ignore[attr-defined]
    broken = {case[0] for case in marks[0].args[1]}
    assert {item.name for item in REQUIREMENTS} - broken == {"depends on beta or better", "depends on live"}


@pytest.mark.parametrize(
    "well",
    [
        lambda facts: without(changed(facts, volume_keys=()), BackupRecord),
        lambda facts: without(changed(facts, volume_keys=()), DrillRecord),
        lambda facts: but(facts, UpdatesRecord("wiki", LAST_NIGHT, 1, "2026-06-25T03:00:00+00:00")),
        lambda facts: changed(facts, kind="infrastructure", admins=("ada", "grace", "mo")),
        lambda facts: replace(facts, uptime=answered(0.99, 30)),
    ],
    ids=["no data to save", "no data to drill", "a fresh update", "three admins, one of the board", "just two nines"],
)
def test_near_misses_keep_the_level(well: object, tmp_path: Path) -> None:
    assert callable(well)
    assert one(well(live(tmp_path))).measured == "live"


def pair(tmp_path: Path, directory: Facts | None = None) -> list[Facts]:
    """Return the wiki and a directory, each depending on the other's network."""
    wiki = live(tmp_path)
    (tmp_path / "directory").mkdir()
    other = directory or live(tmp_path / "directory")
    served = replace(
        wiki.service,
        networks=(Shared("members", external=True, at=HERE), Shared("pages", external=False, at=HERE)),
        kind="infrastructure",
        admins=("ada", "grace", "mo"),
    )
    serving = replace(
        served,
        name="directory",
        folder=other.service.folder,
        networks=(Shared("members", external=False, at=HERE), Shared("pages", external=True, at=HERE)),
        routes=Routes(),
        volume_keys=(),
    )
    collective = replace(wiki.collective, services=(served, serving))
    renamed = keep(*RECORDS, replace(RECORDS[6], service="directory"), replace(RECORDS[7], service="directory"))
    return [
        replace(wiki, collective=collective, service=served),
        replace(wiki, collective=collective, service=serving, records=renamed),
    ]


def test_services_that_depend_on_each_other_can_all_be_live(tmp_path: Path) -> None:
    assert [item.measured for item in judge(pair(tmp_path))] == ["live", "live"]


@pytest.mark.parametrize(
    ("uptime", "levels", "why"),
    [
        (answered(0.95, 90), ["beta", "beta"], "directory is beta"),
        (answered(0.5, 90), ["alpha", "alpha"], "directory is alpha"),
    ],
)
def test_a_service_is_no_better_than_the_infrastructure_on_which_it_depends(
    uptime: Uptime, levels: list[str], why: str, tmp_path: Path
) -> None:
    wiki, directory = pair(tmp_path)
    judged = judge([wiki, replace(directory, uptime=uptime)])
    assert [item.measured for item in judged] == levels
    row = next(row for row in judged[0].rows if row.requirement.startswith("depends") and not row.met)
    assert (row.why, row.next) == (why, "see darkpeak level directory")


def test_a_user_service_below_takes_no_level_away(tmp_path: Path) -> None:
    wiki, directory = pair(tmp_path)
    user = replace(directory.service, kind="user")
    collective = replace(wiki.collective, services=(wiki.service, user))
    low = replace(directory, service=user, collective=collective, uptime=None)
    judged = judge([replace(wiki, collective=collective), low])
    assert [item.measured for item in judged] == ["live", "alpha"]


def test_without_an_engine_only_the_files_count(tmp_path: Path) -> None:
    judged = one(replace(live(tmp_path), unknown="no Docker engine answers at ssh://box"))
    assert judged.measured == "alpha"
    assert judged.unknown == "no Docker engine answers at ssh://box"
    assert {row.why for row in judged.rows if not row.met} == {"not known: no Docker engine answers at ssh://box"}


@pytest.mark.parametrize(
    ("before", "lost"),
    [
        (None, False),
        (LevelRecord("wiki", TODAY, "beta"), False),
        (LevelRecord("wiki", TODAY, "live"), True),
        (LevelRecord("wiki", TODAY, "beta", lost=True), True),
    ],
    ids=["first look", "never had it", "had it", "lost before"],
)
def test_a_level_is_lost_only_if_it_was_there(before: LevelRecord | None, *, lost: bool, tmp_path: Path) -> None:
    judged = one(replace(live(tmp_path), uptime=answered(0.95, 90)))
    assert (judged.claimed, judged.measured) == ("live", "beta")
    assert is_lost(judged, before) is lost
    assert not is_lost(one(live(tmp_path)), before), "what is there is not lost"


def test_missing_security_updates_are_counted_from_the_first_day() -> None:
    first = UpdatesRecord.after(None, "wiki", LAST_NIGHT, 2)
    assert first.since == LAST_NIGHT
    second = UpdatesRecord.after(first, "wiki", TODAY, 1)
    assert (second.security, second.since) == (1, LAST_NIGHT)
    none = UpdatesRecord.after(second, "wiki", TODAY, 0)
    assert none.since == ""
    assert UpdatesRecord.after(none, "wiki", TODAY, 3).since == TODAY


def test_a_service_on_several_hosts_has_the_lowest_level_in_any_order(tmp_path: Path) -> None:
    wiki = live(tmp_path)
    router = changed(wiki, name="router", kind="infrastructure", admins=("ada", "grace", "mo"))
    good = replace(router, records=keep(*(renamed(one) for one in RECORDS)), host="a")
    bad = replace(good, host="b", state="stopped")
    both = replace(wiki.collective, services=(wiki.service, router.service))
    for facts in ([good, bad], [bad, good]):
        judged = judge([replace(item, collective=both) for item in (*facts, wiki)])
        assert {(item.service, item.host): item.measured for item in judged} == {
            ("router", "a"): "live",
            ("router", "b"): "alpha",
            ("wiki", ""): "alpha",
        }


def renamed(record: Record) -> Record:
    """Return a record of the wiki as one of the router."""
    return replace(record, service="router") if hasattr(record, "service") else record


def test_infrastructure_that_was_not_asked_takes_no_level_away(tmp_path: Path) -> None:
    facts = live(tmp_path)
    router = replace(facts.service, name="router", kind="infrastructure")
    known = replace(facts, collective=replace(facts.collective, services=(facts.service, router)))
    judged = one(known)
    assert judged.measured == "live"
    assert "router on another host was not asked" in {row.why for row in judged.rows}


def test_the_night_that_runs_counts(tmp_path: Path) -> None:
    facts = without(live(tmp_path), NightRecord, "Peak")
    assert one(facts).measured == "beta"
    assert one(replace(facts, night=True)).measured == "live"
