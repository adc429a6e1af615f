"""Notices to people: each change gives one."""

from collections.abc import Mapping
from copy import deepcopy

import pytest

from darkpeak.engine.engine import Engine
from darkpeak.evidence import store
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.record import to_text
from darkpeak.schedule.notices import Line, Notice, make_notice, notify

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
        (told("far", "wiki"), ILL, ("needs attention: wiki", "wiki: NOT SAVED\nfar: well again")),
        (told("far"), WELL, ("all is well again: far", "far: well again")),
    ],
    ids=[
        *("first, good", "first, bad", "still good", "fails", "still bad", "worse", "good again", "better"),
        *("a host is back", "only a host is back"),
    ],
)
def test_each_change_is_notified_once(
    before: NightRecord | None, lines: list[Line], notice: tuple[str, str] | None
) -> None:
    assert make_notice(before, lines) == (Notice(*notice) if notice else None)


class Kept(Engine):
    """An engine that only keeps records; each is a volume with labels."""

    def __init__(self, *records: NightRecord) -> None:
        super().__init__()
        self.known = {str(number): {store.FACTS_LABEL: to_text(item)} for number, item in enumerate(records)}

    def volumes(self, label: str) -> dict[str, dict[str, str]]:
        """Return all of them."""
        assert label.startswith(store.LABEL)
        return dict(self.known)

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Keep another one."""
        self.known[name] = dict(labels)

    def remove_volume(self, name: str) -> None:
        """Forget one."""
        del self.known[name]


def test_an_engine_that_was_dead_last_night_does_not_know_better_than_the_others() -> None:
    """So the notice that it is back is sent, also if it is the first engine."""
    was_dead = Kept(NightRecord("peak", "2026-06-01T03:17:00+00:00"))
    lived = Kept(NightRecord("peak", "2026-06-02T03:17:00+00:00", ("far",)))
    for engines in ([was_dead, lived], [lived, was_dead]):
        assert notify(deepcopy(engines), "peak", "", "", WELL) == "all is well again: far"
