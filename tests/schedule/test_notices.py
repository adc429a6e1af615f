"""Notices to people: each change gives one."""

import pytest

from darkpeak.evidence.nights import NightRecord
from darkpeak.schedule.notices import Line, Notice, make_notice

WELL = [Line("chat", good=True, message="chat-2 saved"), Line("wiki", good=True, message="wiki-2 saved")]
ILL = [WELL[0], Line("wiki", good=False, message="NOT SAVED")]
WORSE = [Line("chat", good=False, message="no dump"), ILL[1]]


def told(*attention: str) -> NightRecord:
    return NightRecord("peak", "2026-06-01", attention)


@pytest.mark.parametrize(
    ("before", "lines", "notice"),
    [
        (None, WELL, None),
        (None, ILL, ("needs attention: wiki", "wiki: NOT SAVED")),
        (told(), WELL, None),
        (told(), ILL, ("needs attention: wiki", "wiki: NOT SAVED")),
        (told("wiki"), ILL, None),
        (told("wiki"), WORSE, ("needs attention: chat, wiki", "chat: no dump\nwiki: NOT SAVED")),
        (told("wiki"), WELL, ("all is well again: wiki", "wiki: wiki-2 saved")),
        (told("chat", "wiki"), ILL, ("needs attention: wiki", "chat: chat-2 saved\nwiki: NOT SAVED")),
    ],
    ids=["first, good", "first, bad", "still good", "fails", "still bad", "worse", "good again", "better"],
)
def test_each_change_is_notified_once(
    before: NightRecord | None, lines: list[Line], notice: tuple[str, str] | None
) -> None:
    assert make_notice(before, lines) == (Notice(*notice) if notice else None)
