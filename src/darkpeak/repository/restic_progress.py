"""restic's progress in words: a bar, the rate, and the time left. Pure."""

from collections.abc import Mapping
from typing import Any

WIDTH = 20
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024


def describe(status: Mapping[str, Any]) -> str:
    """Return a bar, the rate and the time left, from a status line of restic's backup or restore."""
    done = int(status.get("bytes_done") or status.get("bytes_restored") or 0)
    total, seconds = int(status.get("total_bytes") or 0), float(status.get("seconds_elapsed") or 0)
    share = min(1.0, done / total) if total else float(status.get("percent_done") or 0)
    full = round(share * WIDTH)
    words = [f"{'━' * full}{'╌' * (WIDTH - full)} {share:.0%} of {size(total)}"]
    if done and seconds:
        rate = done / seconds
        words += [f"{size(rate)}/s", f"{clock((total - done) / rate)} left"]
    return ", ".join(words)


def size(count: float) -> str:
    """Return a number of bytes with a unit, like 1.5 GiB."""
    for unit in UNITS:
        if count < STEP or unit == UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= STEP
    raise AssertionError  # the last unit is for all larger numbers


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds (1:05), or as hours and minutes (2 h 5 min)."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}" if whole < 60 * 60 else f"{whole // 3600} h {whole % 3600 // 60} min"
