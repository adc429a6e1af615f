"""How long a container may take to become healthy, and what ends the wait."""

from typing import Any

import pytest

from darkpeak.plan.health import allowed_seconds, fault_of, is_done, last_check, stop_seconds
from darkpeak.plan.observed import Running

SECOND = 10**9


def described(restarts: int = 0, **check: Any) -> dict[str, Any]:
    """Return the engine's description of a container with this health check; times are in seconds."""
    times = {
        key: value * SECOND if key in {"StartPeriod", "Interval", "Timeout"} else value for key, value in check.items()
    }
    return {
        "RestartCount": restarts,
        "Config": {"Healthcheck": {"Test": ["CMD", "health"], **times} if check else None},
    }


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        (described(), 180),
        (described(StartPeriod=300), 300 + 3 * 60),
        (described(StartPeriod=300, Interval=1, Timeout=2, Retries=2), 306),
        (described(Interval=60, Timeout=20, Retries=10), 800),
        (described(StartPeriod=1, Interval=1, Timeout=1, Retries=1), 180),
        (described(StartPeriod=3600, restarts=2), 180),
        ({"Config": {"Healthcheck": {"Test": ["NONE"], "StartPeriod": 900 * SECOND}}}, 180),
        ({}, 180),
    ],
    ids=[
        "no check",
        "the engine's own values",
        "all values",
        "many retries",
        "never less than 3 minutes",
        "it has crashed",
        "switched off",
        "nothing is known",
    ],
)
def test_a_health_check_says_how_long_a_start_may_take(details: dict[str, Any], seconds: float) -> None:
    assert allowed_seconds(details) == seconds


def container(state: str = "running", health: str = "", exit_code: int | None = None) -> Running:
    return Running("a", "darkpeak-wiki", "migrate", 1, "wiki-migrate-1", state, health, exit_code=exit_code)


@pytest.mark.parametrize(
    ("item", "passed", "awaited", "ends", "done"),
    [
        (container(health="healthy"), 0, False, False, True),
        (container(health="starting"), 500, False, False, False),
        (container(), 0.2, False, False, False),
        (container(), 1.2, False, False, True),
        (container("exited", exit_code=0), 0, True, True, True),
        (container("exited", exit_code=0), 0, False, True, True),
        (container("exited", exit_code=0), 0, False, False, False),
        (container("exited", exit_code=3), 9, True, True, False),
        (container(), 9, True, True, False),
        (container(), 9, False, True, True),
        (container("restarting"), 9, False, True, False),
    ],
    ids=[
        "healthy",
        "starting",
        "no check, just started",
        "no check, runs",
        "awaited, ended",
        "may end, ended",
        "a server that ended",
        "awaited, failed",
        "awaited, works",
        "may end, works",
        "crashes",
    ],
)
def test_when_a_container_is_ready(item: Running, passed: float, *, awaited: bool, ends: bool, done: bool) -> None:
    assert is_done(item, passed, awaited=awaited, ends=ends) is done


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        (container("exited", exit_code=3), "container wiki-migrate-1 ended with exit code 3"),
        (container("dead"), "container wiki-migrate-1 ended"),
        (container(health="unhealthy"), "container wiki-migrate-1 is unhealthy"),
        (container(health="starting"), ""),
        (container("restarting"), ""),
    ],
    ids=["ended", "dead", "unhealthy", "starting", "restarting"],
)
def test_what_ends_the_wait(item: Running, fault: str) -> None:
    assert fault_of(item) == fault


def test_the_last_failed_check_is_shown() -> None:
    log = [
        {"ExitCode": 1, "Output": "no\n"},
        {"ExitCode": 7, "Output": "one\ntwo\nno answer\n"},
        {"ExitCode": 0, "Output": ""},
    ]
    shown = last_check({"State": {"Health": {"Log": log}}}, 2)
    assert shown == "its health check ended with exit code 7:\ntwo\nno answer"
    assert last_check({"State": {"Health": {"Log": [{"ExitCode": 1}]}}}, 2).endswith("exit code 1: it printed nothing")
    assert last_check({"State": {}}, 2) == ""


def test_a_container_may_take_its_own_time_to_stop() -> None:
    assert stop_seconds({"Config": {"StopTimeout": 60}}) == 60
    assert stop_seconds({"Config": {}}) == 10
