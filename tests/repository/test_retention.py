"""Which snapshots are kept. The tables have the snapshots, and the numbers that are kept."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkpeak.collective.settings import Keep
from darkpeak.repository.retention import NEWEST, decide
from darkpeak.repository.snapshots import BACKUP, BEFORE, Snapshot

FIRST = date(2026, 1, 1)


def made(number: int, day: date, *, kind: str = BACKUP, service: str = "wiki", host: str = "") -> Snapshot:
    return Snapshot(service, host, number, kind, f"{day}T03:00:00Z", f"id{number}", "r")


def left(snapshots: list[Snapshot], keep: Keep) -> list[int]:
    return sorted(item.snapshot.number for item in decide(snapshots, keep) if item.why)


def daily(count: int) -> list[Snapshot]:
    """Return one snapshot for each day."""
    return [made(number, FIRST + timedelta(number)) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("snapshots", "keep", "numbers"),
    [
        ([], Keep(), []),
        (daily(2), Keep(0, 0, 0), [1, 2]),
        (daily(10), Keep(0, 0, 0), [8, 9, 10]),
        (daily(10), Keep(5, 0, 0), [6, 7, 8, 9, 10]),
        # 2026-01-05 is a Monday: numbers 3, 10 and 17 are Sundays, the last days of their weeks
        (daily(20), Keep(0, 3, 0), [10, 17, 18, 19, 20]),
        # number 30 is 31 January, number 58 is 28 February
        (daily(70), Keep(0, 0, 3), [30, 58, 68, 69, 70]),
        # three a day: the newest of each day is kept
        ([made(number, FIRST + timedelta(number // 3)) for number in range(12)], Keep(4, 0, 0), [2, 5, 8, 9, 10, 11]),
    ],
    ids=["none", "few", "newest", "daily", "weekly", "monthly", "several a day"],
)
def test_days_weeks_and_months(snapshots: list[Snapshot], keep: Keep, numbers: list[int]) -> None:
    assert left(snapshots, keep) == numbers


def test_a_clock_a_year_ahead_displaces_no_newer_snapshot() -> None:
    snapshots = [*daily(5), made(6, FIRST + timedelta(371)), *(made(n, FIRST + timedelta(n)) for n in range(7, 10))]
    assert left(snapshots, Keep(5, 0, 0)) == [5, 6, 7, 8, 9]


def test_with_a_stopped_clock_the_newest_snapshots_are_kept() -> None:
    assert left([made(number, FIRST) for number in range(1, 9)], Keep()) == [6, 7, 8]


def test_services_hosts_and_kinds_are_counted_separately() -> None:
    snapshots = [
        made(n, FIRST, service=service, host=host)
        for service in ("wiki", "chat")
        for host in ("", "north")
        for n in (1, 2)
    ]
    snapshots += [made(number, FIRST + timedelta(number), kind=BEFORE) for number in range(10, 20)]
    assert left(snapshots, Keep()) == [*[1] * 4, *[2] * 4, 17, 18, 19]


def test_each_snapshot_has_its_reasons() -> None:
    decided = decide(daily(4), Keep(1, 1, 1))
    assert [(item.snapshot.number, item.why) for item in decided] == [
        (4, ("one of the newest", "day 2026-01-05", "week 2026-W02", "month 2026-01")),
        (3, ("one of the newest",)),
        (2, ("one of the newest",)),
        (1, ()),
    ]


DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@given(st.lists(DAYS, max_size=60), st.builds(Keep, *[st.integers(0, 9)] * 3))
def test_with_any_clocks_the_newest_stay_and_not_too_many(days: list[date], keep: Keep) -> None:
    snapshots = [made(number, day) for number, day in enumerate(days)]
    stay = left(snapshots, keep)
    assert stay[-NEWEST:] == list(range(len(snapshots)))[-NEWEST:]
    assert len(stay) <= NEWEST + keep.daily + keep.weekly + keep.monthly
    assert left([item for item in snapshots if item.number in stay], keep) == stay
