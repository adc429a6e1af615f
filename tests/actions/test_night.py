"""Which service is drilled tonight."""

import pytest

from darkpeak.actions.night import next_to_drill
from darkpeak.evidence.drills import DrillRecord


def record(service: str, when: str) -> DrillRecord:
    return DrillRecord(service, when, f"{service}-1", good=True)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([], "chat"),
        ([record("chat", "2026-06-02"), record("wiki", "2026-06-01")], "wiki"),
        ([record("chat", "2026-06-01")], "wiki"),
        ([record("chat", "2027-06-02"), record("wiki", "2026-06-03")], "chat"),
        ([record("gone", "2026-01-01"), record("chat", "2026-06-01"), record("wiki", "2026-06-02")], "chat"),
    ],
    ids=["none yet", "the oldest", "the one without", "a clock was ahead", "not one that is gone"],
)
def test_the_service_with_the_oldest_drill_is_next(found: list[DrillRecord], name: str) -> None:
    assert next_to_drill(found, ["chat", "wiki"], "2026-06-30") == name
