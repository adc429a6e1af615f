"""A record of a move is read back as it was written; one that a later version wrote is ignored."""

from darkpeak.evidence.moves import ARRIVING, GONE, MoveRecord
from darkpeak.evidence.record import Records, to_text


def test_the_newest_record_of_a_move_counts() -> None:
    gone = MoveRecord("wiki", "2026-11-28T02:00:00+00:00", GONE, "far", "ada")
    back = MoveRecord("wiki", "2026-11-28T03:00:00+00:00", ARRIVING, "far", "grace", kept=True)
    assert Records((to_text(back), to_text(gone))).all(MoveRecord) == [back]
