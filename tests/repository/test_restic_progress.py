"""restic's progress in words."""

from typing import Any

import pytest

from darkpeak.repository.restic_progress import clock, describe, size

MIB = 1 << 20


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0% of 0 B"),
        ({"total_bytes": 100 * MIB}, "╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0% of 100.0 MiB"),
        (
            {"total_bytes": 100 * MIB, "bytes_done": 25 * MIB, "seconds_elapsed": 5},
            "━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 25% of 100.0 MiB, 5.0 MiB/s, 0:15 left",
        ),
        (
            {"total_bytes": 100 * MIB, "bytes_restored": 100 * MIB, "seconds_elapsed": 5},
            "━━━━━━━━━━━━━━━━━━━━ 100% of 100.0 MiB, 20.0 MiB/s, 0:00 left",
        ),
    ],
    ids=["nothing yet", "not begun", "a quarter", "all of a restore"],
)
def test_progress_in_words(status: dict[str, Any], said: str) -> None:
    assert describe(status) == said


def test_sizes_and_times() -> None:
    assert [size(count) for count in (5, 2048, 3 << 30, 1 << 60)] == ["5 B", "2.0 KiB", "3.0 GiB", "1048576.0 TiB"]
    assert [clock(seconds) for seconds in (-1, 59.6, 61, 3700)] == ["0:00", "1:00", "1:01", "1 h 1 min"]
