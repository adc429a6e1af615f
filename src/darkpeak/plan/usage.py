"""What a container uses, as the engine counts it. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

# What of a container's memory the kernel can give back, as `docker stats` leaves it out: control groups v2, and v1.
GIVES_BACK = ("inactive_file", "total_inactive_file")


class Counted(NamedTuple):
    """What the engine has counted of a running container."""

    id: str
    began: str  # when the container was started, as ISO 8601
    processor: int  # nanoseconds of processor time since then
    memory: int  # bytes, without what the kernel can give back


def read_usage(container: str, began: str, stats: Mapping[str, Any]) -> Counted | None:
    """Return what the engine's answer says; None if the container does not run, so that nothing is counted."""
    memory = stats.get("memory_stats") or {}
    processor = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    if not processor or "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    spare = next((details[name] for name in GIVES_BACK if name in details), 0)
    return Counted(container[:12], _moment(began), int(processor), max(0, int(memory["usage"]) - int(spare)))


def _moment(written: str) -> str:
    """Return an engine's time, which has nanoseconds, as ISO 8601 in whole seconds."""
    return datetime.fromisoformat(re.sub(r"\.\d+", "", written)).isoformat(timespec="seconds")
