"""What `status` shows about backups: a missing backup is an alarm, like a failed one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.record import Record, Records, to_text
from darkpeak.evidence.summary import Proofs, describe, describe_night

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SAVED = BackupRecord("wiki", "2026-06-30T03:00:00+00:00", "wiki-17", good=True)
DRILLED = DrillRecord("wiki", "2026-06-20T12:00:00+00:00", "wiki-12", good=True, seconds=21.4)


def kept(records: Sequence[Record]) -> Records:
    return Records(tuple(map(to_text, records)))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], ("NEVER", "NEVER")),
        ([SAVED, DRILLED], ("wiki-17 9 h ago", "wiki-12 10 d ago, 21 s")),
        ([replace(SAVED, when="2026-06-30T11:59:00+00:00")], ("wiki-17 just now", "NEVER")),
        ([replace(SAVED, when="2026-06-27T03:00:00+00:00")], ("OVERDUE, wiki-17 3 d ago", "NEVER")),
        ([replace(SAVED, good=False, problems=("no dump",))], ("FAILED, wiki-17 9 h ago: no dump", "NEVER")),
        ([replace(SAVED, snapshot="", good=False, problems=("no dump",))], ("FAILED: no dump", "NEVER")),
        ([replace(DRILLED, when="2026-05-01T00:00:00+00:00")], ("NEVER", "OVERDUE, wiki-12 60 d ago, 21 s")),
        (
            [replace(SAVED, when="2027-06-30T12:00:00+00:00")],
            ("OVERDUE, wiki-17 365 d in the future (a clock is wrong)", "NEVER"),
        ),
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
def test_backups_and_drills_in_words(records: list[Record], said: tuple[str, str]) -> None:
    assert describe(kept(records), ["wiki"], NOW) == {"wiki": Proofs(*said)}


NIGHT_BEFORE = NightRecord("peak", "2026-06-30T03:00:00+00:00")


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "NEVER"),
        ([replace(NIGHT_BEFORE, collective="another")], "NEVER"),
        ([SAVED, NIGHT_BEFORE], "9 h ago"),
        ([replace(NIGHT_BEFORE, attention=("chat", "wiki"))], "FAILED 9 h ago: needs attention: chat, wiki"),
        ([replace(NIGHT_BEFORE, when="2026-06-27T03:00:00+00:00")], "OVERDUE, 3 d ago"),
        ([replace(NIGHT_BEFORE, when="2026-06-27T03:00:00+00:00", attention=("chat",))], "OVERDUE, 3 d ago"),
    ],
    ids=["never", "another's", "good", "failed", "overdue", "failed, then overdue"],
)
def test_the_last_night_in_words(records: list[Record], said: str) -> None:
    assert describe_night(kept(records), "peak", NOW) == said
