"""Who is told what: each change once."""

import pytest

from darkpeak.actions.night import Line
from darkpeak.evidence.records import NIGHT, Record
from darkpeak.schedule.notices import make_notice

WELL = [Line("chat", good=True, said="chat-2 saved"), Line("wiki", good=True, said="wiki-2 saved")]
ILL = [WELL[0], Line("wiki", good=False, said="NOT SAVED")]
WORSE = [Line("chat", good=False, said="no dump"), ILL[1]]


def told(said: str) -> Record:
    return Record(NIGHT, "peak", "2026-06-01", "night", good=not said, said=said)


@pytest.mark.parametrize(
    ("before", "lines", "notice"),
    [
        (None, WELL, None),
        (None, ILL, ("look after: wiki", "wiki: NOT SAVED")),
        (told(""), WELL, None),
        (told(""), ILL, ("look after: wiki", "wiki: NOT SAVED")),
        (told("wiki"), ILL, None),
        (told("wiki"), WORSE, ("look after: chat, wiki", "chat: no dump\nwiki: NOT SAVED")),
        (told("wiki"), WELL, ("well again: wiki", "wiki: wiki-2 saved")),
        (told("chat; wiki"), ILL, ("look after: wiki", "chat: chat-2 saved\nwiki: NOT SAVED")),
    ],
    ids=["first, well", "first, ill", "still well", "breaks", "still ill", "worse", "well again", "better"],
)
def test_each_change_is_told_once(before: Record | None, lines: list[Line], notice: tuple[str, str] | None) -> None:
    assert make_notice(before, lines) == notice
