"""How long a container may take to become healthy, and what is said when it does not. Pure."""

from collections.abc import Mapping
from typing import Any

from darkpeak.plan.observed import Running
from darkpeak.vocabulary import HEALTHY_SECONDS

# The engine's own values, where neither the Dockerfile nor the compose file sets them (docs.docker.com/reference).
INTERVAL, TIMEOUT, RETRIES = 30.0, 30.0, 3
NANOSECONDS = 1e9
STOP_SECONDS = 10
STEADY_SECONDS = 1.0  # a container without a health check must run so long
ENDED_SECONDS = 3600  # a container for whose end others wait may work so long


def is_done(item: Running, passed: float, *, awaited: bool, ends: bool) -> bool:
    """Return whether a container is ready, so many seconds after the wait began.

    One that is meant to end is ready when it has ended well; while it works, only if no other waits for its end.
    """
    if ends and item.ended_well:
        return True
    steady = bool(item.health) or passed >= STEADY_SECONDS
    return item.ready and steady and not awaited


def fault_of(item: Running) -> str:
    """Return why a container will not become ready; empty if it still may."""
    if item.state in ("exited", "dead"):
        code = f" with exit code {item.exit_code}" if item.exit_code is not None else ""
        return f"container {item.name} ended{code}"
    return f"container {item.name} is unhealthy" if item.health == "unhealthy" else ""


def allowed_seconds(details: Mapping[str, Any]) -> float:
    """Return how long a container may take to become healthy, from the engine's description of it.

    Its own health check says that: when start period and retries are over, the engine calls it unhealthy. It is at
    least 3 minutes. A container that has crashed and was started again gets no more than that.
    """
    check = (details.get("Config") or {}).get("Healthcheck") or {}
    if not check.get("Test") or check["Test"] == ["NONE"] or details.get("RestartCount"):
        return float(HEALTHY_SECONDS)
    times = [(check.get(key) or 0) / NANOSECONDS for key in ("StartPeriod", "Interval", "Timeout")]
    start, interval, timeout = times[0], times[1] or INTERVAL, times[2] or TIMEOUT
    return max(HEALTHY_SECONDS, start + (check.get("Retries") or RETRIES) * (interval + timeout))


def stop_seconds(details: Mapping[str, Any]) -> float:
    """Return how long a container may take to stop: its `stop_grace_period`, or the engine's 10 s."""
    return float((details.get("Config") or {}).get("StopTimeout") or STOP_SECONDS)


def last_check(details: Mapping[str, Any], most_lines: int) -> str:
    """Return what a container's health check printed last, and its exit code; empty if no check has ended yet."""
    log = ((details.get("State") or {}).get("Health") or {}).get("Log") or ()
    failed = [item for item in log if item.get("ExitCode")]
    if not failed:
        return ""
    lines = str(failed[-1].get("Output") or "").strip().splitlines()[-most_lines:]
    shown = "".join(f"\n{line}" for line in lines) or " it printed nothing"
    return f"its health check ended with exit code {failed[-1]['ExitCode']}:{shown}"
