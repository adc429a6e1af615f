"""Announcements: what is planned, from when, and what is over."""

from datetime import UTC, datetime, timedelta

import pytest

from darkpeak.actions.announce import check_time
from darkpeak.errors import UsageError
from darkpeak.evidence.announcements import AnnouncementRecord, announced
from darkpeak.evidence.record import Records, to_text

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
WORK = AnnouncementRecord("a1", AT.isoformat(), "ada", "We move", "wiki", AT.isoformat(), LATER.isoformat())


def test_an_outage_is_planned_only_from_the_announcement_on() -> None:
    early = AnnouncementRecord("a1", LATER.isoformat(), "ada", "late", "wiki", AT.isoformat(), LATER.isoformat())
    assert WORK.planned == (int(AT.timestamp()), int(LATER.timestamp()))
    assert early.planned == (int(LATER.timestamp()), int(LATER.timestamp()))
    assert AnnouncementRecord("b2", AT.isoformat(), "ada", "Cake", since=AT.isoformat()).planned is None


def test_an_announcement_concerns_its_service_and_is_over_at_its_end() -> None:
    assert (WORK.concerns("wiki"), WORK.concerns("chat")) == (True, False)
    assert AnnouncementRecord("b2", AT.isoformat(), "ada", "Cake").concerns("chat")
    assert (WORK.is_over(AT), WORK.is_over(LATER)) == (False, True)


def test_what_stands_on_several_engines_is_one_announcement() -> None:
    cake = AnnouncementRecord("b2", AT.isoformat(), "ada", "Cake", since=LATER.isoformat())
    engines = [Records((to_text(cake), to_text(WORK))), Records((to_text(cake), "damaged"))]
    assert announced(engines) == [WORK, cake]


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        (AT - timedelta(hours=1), LATER, "--from is in the past"),
        (LATER, AT, "--until is in the past, or not after --from"),
        (AT, AT - timedelta(seconds=1), "--until is in the past, or not after --from"),
        (AT, AT + timedelta(days=15), "planned work of more than 14 days is an outage to members"),
    ],
)
def test_a_wrong_time_is_refused(since: datetime, until: datetime, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_time(AT, since, until)


def test_a_right_time_is_taken() -> None:
    check_time(AT, AT, None)
    check_time(AT, AT + timedelta(days=30), AT + timedelta(days=30, hours=1))
