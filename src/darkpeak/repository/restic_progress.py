"""How far long work has come, how fast it goes and how long it will take. Pure."""

from collections.abc import Mapping
from typing import Any

WIDTH = 20
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
STEP = 1024


def describe(status: Mapping[str, Any]) -> str:
    """Return a bar, the rate and the time left, from one of restic's own reports of a backup or a restore."""
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
    """Return a number of bytes as people say it."""
    for unit in UNITS:
        if count < STEP or unit == UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= STEP
    raise AssertionError  # the last unit takes all


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, or hours and minutes."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}" if whole < 60 * 60 else f"{whole // 3600} h {whole % 3600 // 60} min"
