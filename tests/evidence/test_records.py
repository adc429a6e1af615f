"""Records: written as text and read back; the newest counts; records of earlier versions can be read."""

import json

import pytest

from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord, RecoveryRecord, RestoreRecord, SpoiltDrillRecord
from darkpeak.evidence.measured import LevelRecord, UpdatesRecord
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.owners import OwnerRecord
from darkpeak.evidence.people import AdminRecord, ReviewRecord
from darkpeak.evidence.record import Record, Records, to_text
from darkpeak.evidence.scrubs import ScrubRecord

OLD, NEW = "2026-06-01T00:00:00+00:00", "2026-06-02T00:00:00+00:00"
BACKUP = BackupRecord(
    "wiki", NEW, "wiki-2", good=False, problems=("a", "b; c"), number=2, sizes=(("x", 1),), unchanged=(("x", "y", OLD),)
)
SCRUB = ScrubRecord("sftp:nas:/x", NEW, "3/30", 3, good=True, message="fine")
ALL: tuple[Record, ...] = (
    BACKUP,
    DrillRecord("wiki", NEW, "wiki-1", good=True, message="3 pages", seconds=2.5),
    SpoiltDrillRecord("wiki", NEW, "wiki-1", good=True),
    RestoreRecord("wiki", NEW, "wiki-1", good=True),
    RecoveryRecord("wiki", NEW, "", good=False, message="no engine"),
    SCRUB,
    NightRecord("Peak", NEW, ("chat", "wiki")),
    OwnerRecord("0a1b", NEW, "Peak", "peak.test"),
    AdminRecord("ada", NEW, opens_key=True, is_member=False),
    ReviewRecord("wiki", NEW, "ada@laptop", "live", "agreed"),
    LevelRecord("wiki", NEW, "beta", lost=True),
    UpdatesRecord("wiki", NEW, 2, OLD),
)


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.kind)
def test_a_record_is_read_back_unchanged(record: Record) -> None:
    assert Records(tuple(map(to_text, ALL))).all(type(record)) == [record]


def test_the_newest_record_of_a_subject_counts_in_any_order() -> None:
    one, two = (DrillRecord("wiki", when, f"wiki-{when}", good=True) for when in (OLD, NEW))
    other = DrillRecord("chat", OLD, "chat-1", good=True)
    for texts in ((one, two, other), (two, other, one)):
        assert Records(tuple(map(to_text, texts))).all(DrillRecord) == [other, two]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kind": "drill"}', '{"kind": "drill", "service": 1, "x": 2}'])
def test_damaged_records_are_left_out(text: str) -> None:
    assert Records((text,)).all(DrillRecord) == []


BEFORE = {"when": NEW, "sizes": [], "seen": [], "seconds": 0.0, "number": 0, "said": "", "set_name": "", "good": True}


@pytest.mark.parametrize(
    ("facts", "record"),
    [
        (
            {"kind": "backup", "service": "wiki", "set_name": "wiki-2", "said": "a; b", "seen": [["x", "y", OLD]]},
            BackupRecord("wiki", NEW, "wiki-2", good=True, problems=("a", "b"), unchanged=(("x", "y", OLD),)),
        ),
        ({"kind": "drill", "service": "wiki", "set_name": "wiki-1"}, DrillRecord("wiki", NEW, "wiki-1", good=True)),
        (
            {"kind": "scrub", "service": "volume:x", "set_name": "3/30", "number": 3},
            ScrubRecord("volume:x", NEW, "3/30", 3, good=True),
        ),
        (
            {"kind": "night", "service": "Peak", "set_name": "night", "said": "chat; wiki", "good": False},
            NightRecord("Peak", NEW, ("chat", "wiki")),
        ),
    ],
    ids=["backup", "drill", "scrub", "night"],
)
def test_records_of_earlier_versions_are_understood(facts: dict[str, object], record: Record) -> None:
    assert Records((json.dumps({**BEFORE, **facts}),)).all(type(record)) == [record]
