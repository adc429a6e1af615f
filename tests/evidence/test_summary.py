"""What `status` says of backups: silence is as loud as failure."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from darkpeak.evidence.records import BACKUP, DRILL, NIGHT, Record
from darkpeak.evidence.summary import describe, describe_night

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SAVED = Record(BACKUP, "wiki", "2026-06-30T03:00:00+00:00", "wiki-17", good=True)
DRILLED = Record(DRILL, "wiki", "2026-06-20T12:00:00+00:00", "wiki-12", good=True, seconds=21.4)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], ("NEVER", "NEVER")),
        ([SAVED, DRILLED], ("wiki-17 9 h ago", "wiki-12 10 d ago, 21 s")),
        ([replace(SAVED, when="2026-06-30T11:59:00+00:00")], ("wiki-17 just now", "NEVER")),
        ([replace(SAVED, when="2026-06-27T03:00:00+00:00")], ("OVERDUE, wiki-17 3 d ago", "NEVER")),
        ([replace(SAVED, good=False, said="no dump")], ("FAILED, wiki-17 9 h ago: no dump", "NEVER")),
        ([replace(SAVED, snapshot_name="", good=False, said="no dump")], ("FAILED: no dump", "NEVER")),
        ([replace(DRILLED, when="2026-05-01T00:00:00+00:00")], ("NEVER", "OVERDUE, wiki-12 60 d ago, 21 s")),
        ([replace(SAVED, when="2027-06-30T12:00:00+00:00")], ("OVERDUE, wiki-17 by a clock 365 d ahead", "NEVER")),
        ([replace(SAVED, service="chat")], ("NEVER", "NEVER")),
    ],
    ids=[
        "nothing",
        "well",
        "fresh",
        "old",
        "failed since",
        "failed always",
        "old drill",
        "a clock was ahead",
        "another's",
    ],
)
def test_what_is_said(records: list[Record], said: tuple[str, str]) -> None:
    assert describe(records, ["wiki"], NOW) == {"wiki": said}


NIGHT_BEFORE = Record(NIGHT, "peak", "2026-06-30T03:00:00+00:00", "night", good=True)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "NEVER"),
        ([replace(NIGHT_BEFORE, service="another")], "NEVER"),
        ([SAVED, NIGHT_BEFORE], "9 h ago"),
        ([replace(NIGHT_BEFORE, good=False, said="chat; wiki")], "FAILED 9 h ago: somebody must look after chat, wiki"),
        ([replace(NIGHT_BEFORE, when="2026-06-27T03:00:00+00:00")], "OVERDUE, 3 d ago"),
        ([replace(NIGHT_BEFORE, when="2026-06-27T03:00:00+00:00", good=False, said="chat")], "OVERDUE, 3 d ago"),
    ],
    ids=["never", "another's", "well", "failed", "silent", "failed, then silent"],
)
def test_a_night_that_did_not_come_is_said(records: list[Record], said: str) -> None:
    assert describe_night(records, "peak", NOW) == said
