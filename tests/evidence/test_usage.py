"""What a service used in the last nights: read, counted from night to night, kept for two months."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from darkpeak.evidence.record import Records, to_text
from darkpeak.evidence.usage import KEPT, NANO, Night, UsageRecord
from darkpeak.plan.usage import Counted, read_usage

AT = datetime(2026, 6, 30, 3, tzinfo=UTC)
STARTED = "2026-06-29T03:00:00+00:00"


def counted(seconds: float, one: str = "a", began: str = STARTED) -> Counted:
    """Return a container that has used so many seconds of a processor."""
    return Counted(one, began, int(seconds * NANO), 10)


def night(last: UsageRecord | None, day: int, *found: Counted, data: int | None = None) -> UsageRecord:
    return UsageRecord.after(last, "wiki", (AT + timedelta(days=day)).isoformat(), found, data)


def test_the_first_night_counts_since_the_start_of_each_container() -> None:
    found = night(None, 0, counted(8640), counted(864, "b", "2026-06-30T02:00:00+00:00"), data=5)
    assert found.nights == (Night(AT.isoformat(), 20, 0.34, 5),)


@pytest.mark.parametrize(
    ("then", "cores"),
    [
        (counted(8640 + 4320), 0.05),
        (counted(8640), 0.0),
        (counted(864, "b", "2026-06-30T15:00:00+00:00"), 0.02),  # a new container, for half a day
        (counted(864, "a", "2026-06-30T15:00:00+00:00"), 0.02),  # the same one, started again
        (counted(10), 0.0),  # fewer than before cannot be
    ],
)
def test_later_nights_count_what_was_used_since_the_one_before(then: Counted, cores: float) -> None:
    found = night(night(None, 0, counted(8640)), 1, then)
    assert found.nights[-1].processor == cores


def test_a_clock_that_went_back_invents_nothing() -> None:
    assert night(night(None, 0, counted(10)), -3, counted(20)).nights[-1].processor == 0.0


def test_a_service_that_does_not_run_uses_nothing() -> None:
    assert night(None, 0).nights == (Night(AT.isoformat(), 0, 0.0, None),)


def test_two_months_are_kept_and_read_back() -> None:
    found = None
    for day in range(KEPT + 5):
        found = night(found, day, counted(10.0 + day), data=day or None)
    assert found
    assert len(found.nights) == KEPT
    assert Records((to_text(found),)).all(UsageRecord) == [found]


V2 = {"usage": 100, "stats": {"inactive_file": 30, "file": 50}}
V1 = {"usage": 100, "stats": {"total_inactive_file": 20, "cache": 50}}
USED = {"cpu_usage": {"total_usage": 7}}


@pytest.mark.parametrize(
    ("stats", "memory"),
    [
        ({"memory_stats": V2, "cpu_stats": USED}, 70),
        ({"memory_stats": V1, "cpu_stats": USED}, 80),
        ({"memory_stats": {"usage": 5, "stats": {"inactive_file": 9}}, "cpu_stats": USED}, 0),
        ({"memory_stats": {"usage": 5}, "cpu_stats": USED}, 5),
        ({"memory_stats": {}, "cpu_stats": {"cpu_usage": {"total_usage": 0}}}, None),  # it has ended
        ({"memory_stats": {}, "cpu_stats": USED}, None),  # a kernel that does not count memory
        ({}, None),
        ({"memory_stats": None, "cpu_stats": None}, None),
    ],
)
def test_the_engines_answer_on_each_kind_of_control_groups(stats: dict[str, Any], memory: int | None) -> None:
    found = read_usage("0123456789abcdef", "2026-06-29T03:00:00.123456789Z", stats)
    assert found == (None if memory is None else Counted("0123456789ab", STARTED, 7, memory))
