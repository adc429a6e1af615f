"""Alarms: each begins in time, is said with what to do, and ends when all is well again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from darkpeak.collective.model import Collective, Place, Service
from darkpeak.collective.settings import Admin
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.machines import NIGHTS, DiskRecord, MemoryRecord, RestartsRecord
from darkpeak.evidence.people import AdminRecord, ReviewRecord
from darkpeak.evidence.record import Record, Records, to_text
from darkpeak.levels.alarms import of_disk, of_memory, of_proofs, of_restarts
from darkpeak.vocabulary import GIB, MIB

AT = datetime(2026, 6, 30, 3, tzinfo=UTC)


def nights(*free: float) -> DiskRecord:
    """Return the record after so many nights, each with so many GiB free."""
    last = None
    for number, gib in enumerate(free):
        when = (AT + timedelta(days=number)).isoformat()
        last = DiskRecord.after(last, "", when, int(gib * GIB))
    assert last
    return last


@pytest.mark.parametrize(
    ("free", "days"),
    [
        ((10.0,), None),
        ((10.0, 9.0), None),
        ((10.0, 10.0, 10.0), None),
        ((10.0, 11.0, 12.0), None),
        ((10.0, 9.0, 8.0), 8.0),
        ((10.0, 8.0, 6.0), 3.0),
        ((10.0, 9.0, 0.0), 0.0),
    ],
)
def test_the_days_until_a_disk_is_full(free: tuple[float, ...], days: float | None) -> None:
    assert nights(*free).days_left == days


def test_a_disk_is_an_alarm_a_week_before_and_well_again_with_two_weeks_of_space() -> None:
    assert not nights(10, 9, 8).alarm
    full = nights(10, 8.5, 7)
    assert full.alarm
    (line,) = of_disk(full)
    what = "it will be full in 5 days at this rate, 7.0 GiB are free; remove old images: darkpeak clean"
    assert (line.about, line.message) == ("disk", what)
    assert nights(10, 8.5, 7, 7.5).alarm, "nine days are left: not yet well"
    assert list(of_disk(nights(10, 8.5, 7, 9.5))) == []


def test_only_some_nights_are_kept_and_read_back() -> None:
    found = nights(*range(50, 10, -1))
    assert len(found.before) == NIGHTS
    assert Records((to_text(found),)).all(DiskRecord) == [found]


def memory(*free: int) -> MemoryRecord:
    """Return the record after so many nights, each with so many MiB free of 1,000."""
    last = None
    for mib in free:
        last = MemoryRecord.after(last, "far", AT.isoformat(), mib * MIB, 1000 * MIB)
    assert last
    return last


@pytest.mark.parametrize(
    ("free", "alarm"), [((50,), False), ((49,), True), ((49, 60), True), ((49, 100), False), ((60, 100, 49), True)]
)
def test_scarce_memory_is_an_alarm_and_well_again_with_twice_as_much(free: tuple[int, ...], *, alarm: bool) -> None:
    found = memory(*free)
    what = f"only {free[-1]} of 1000 MiB can still be used; see which service needs most"
    lines = [(one.about, one.message.partition(": darkpeak")[0]) for one in of_memory(found)]
    assert lines == ([("memory of far", what)] if alarm else [])
    assert Records((to_text(found),)).all(MemoryRecord) == [found]


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        (None, (("a", 2),), 0),
        (None, (("a", 3),), 3),
        ((("a", 3),), (("a", 5),), 0),
        ((("a", 3),), (("a", 8), ("b", 1)), 5),
        ((("a", 9),), (("b", 0),), 0),
    ],
)
def test_restarts_again_and_again(
    before: tuple[tuple[str, int], ...] | None, now: tuple[tuple[str, int], ...], again: int
) -> None:
    last = RestartsRecord("wiki", AT.isoformat(), before) if before else None
    found = RestartsRecord("wiki", AT.isoformat(), now)
    lines = [line.message for line in of_restarts(found, last)]
    said = f"a container ended and was restarted {again} times since the last night; see why: darkpeak logs wiki"
    assert lines == ([said] if again else [])
    assert Records((to_text(found),)).all(RestartsRecord) == [found]


def days_ago(days: float) -> str:
    return (AT - timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("level", "record", "said"),
    [
        ("live", AdminRecord("ada", days_ago(100), opens_key=True, is_member=True), []),
        (
            "beta",
            AdminRecord("ada", days_ago(173), opens_key=True, is_member=True),
            ["proof of ada: it expires in 10 days"],
        ),
        ("beta", AdminRecord("ada", days_ago(183), opens_key=True, is_member=True), ["proof of ada: it expires today"]),
        ("live", AdminRecord("ada", days_ago(200), opens_key=True, is_member=True), ["proof of ada: it has expired"]),
        ("alpha", AdminRecord("ada", days_ago(200), opens_key=True, is_member=True), []),
        ("live", AdminRecord("gone", days_ago(200), opens_key=True, is_member=True), []),
        ("beta", ReviewRecord("wiki", days_ago(346), "ada", "beta"), ["review of wiki: it expires in 20 days"]),
        ("live", DrillRecord("wiki", days_ago(30), "wiki-3", good=True), ["drill of wiki: it expires in 5 days"]),
        ("beta", DrillRecord("wiki", days_ago(30), "wiki-3", good=True), []),
        ("live", DrillRecord("wiki", days_ago(30), "wiki-3", good=False), []),
    ],
)
def test_a_proof_that_expires_soon(level: str, record: Record, said: list[str]) -> None:
    service = Service("wiki", Path(), Place("services/wiki/docker-compose.yml", 1), level=level, admins=("ada", "gone"))
    collective = Collective(Path(), "Dark Peak", "peak.test", admins=(Admin("ada"),), services=(service,))
    found = of_proofs(collective, service, Records((to_text(record),)), AT)
    assert [f"{line.about}: {line.message.partition(';')[0]}" for line in found] == said
