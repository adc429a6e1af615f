"""A record of a move is read back as it was written; one that a later version wrote is ignored."""

from pathlib import Path

import pytest

from darkpeak.collective.model import Place, Service
from darkpeak.evidence.moves import ARRIVING, GONE, MoveRecord, find_gone
from darkpeak.evidence.record import Records, to_text


def test_the_newest_record_of_a_move_counts() -> None:
    gone = MoveRecord("wiki", "2026-11-28T02:00:00+00:00", GONE, "far", "ada")
    back = MoveRecord("wiki", "2026-11-28T03:00:00+00:00", ARRIVING, "far", "grace", kept=True)
    assert Records((to_text(back), to_text(gone))).all(MoveRecord) == [back]


@pytest.mark.parametrize(("stage", "found"), [(GONE, ["wiki has moved to far (ada)"]), (ARRIVING, [])])
def test_only_a_service_that_has_moved_away_is_not_deployed(stage: str, found: list[str]) -> None:
    services = [Service(name, Path(name), Place(f"services/{name}/docker-compose.yml", 1)) for name in ("chat", "wiki")]
    record = MoveRecord("wiki", "2026-11-28T02:00:00+00:00", stage, "far", "ada")
    assert [finding.what for finding in find_gone(services, [record])] == found
