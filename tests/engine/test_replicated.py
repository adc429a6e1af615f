"""The containers of stacks, from the engine's lists of services and tasks."""

from typing import Any

import pytest

from darkpeak.engine.replicated import read_replicated
from darkpeak.plan.observed import Replicated

OWN = {
    "Image": "sha256:new",
    "Labels": {
        "com.docker.compose.project": "darkpeak-trio",
        "com.docker.compose.service": "web",
        "darkpeak.content": "abc",
        "darkpeak.parts": '{"web/Dockerfile":"1"}',
    },
}
OLD = {**OWN, "Image": "sha256:old"}


def service(**more: Any) -> dict[str, Any]:
    spec = {
        "Labels": {"com.docker.stack.namespace": "darkpeak-trio"},
        "TaskTemplate": {"ContainerSpec": OWN},
        "Mode": {"Replicated": {"Replicas": 2}},
    }
    return {"ID": "s1", "Spec": spec, **more}


def task(state: str = "running", wanted: str = "running", spec: dict[str, Any] = OWN, **status: Any) -> dict[str, Any]:
    stamped = {"State": state, "Timestamp": "2026-01-01T00:00:00Z", **status}
    return {"ID": "t1", "ServiceID": "s1", "DesiredState": wanted, "Spec": {"ContainerSpec": spec}, "Status": stamped}


def read(*tasks: dict[str, Any], **more: Any) -> Replicated:
    (found,) = read_replicated([service(**more)], tasks)
    return found


def test_what_is_read_of_a_stack() -> None:
    assert read(task(), task()) == Replicated(
        "darkpeak-trio", "web", "s1", "sha256:new", "abc", (("web/Dockerfile", "1"),), wanted=2, ready=2
    )


@pytest.mark.parametrize(
    ("other", "ready"),
    [(task("starting"), 1), (task(wanted="shutdown"), 1), (task(spec=OLD), 1), (task(), 2)],
    ids=["starting", "leaving", "the version before", "ready"],
)
def test_only_tasks_of_the_present_version_that_run_are_ready(other: dict[str, Any], ready: int) -> None:
    found = read(task(), other)
    assert (found.ready, found.changing) == (ready, ready < 2)


def test_why_the_newest_task_failed() -> None:
    first = task("failed", "shutdown", Err="the first", Timestamp="2026-01-01T00:00:01Z")
    second = task("rejected", "shutdown", Err="the second", Timestamp="2026-01-01T00:00:02Z")
    found = read(task(), second, first)
    assert (found.failures, found.fault) == (2, "the second")


@pytest.mark.parametrize(
    ("state", "changing", "went_back"),
    [
        ("updating", True, False),
        ("completed", False, False),
        ("rollback_completed", False, True),
        ("paused", False, True),
    ],
)
def test_how_an_update_stands(*, state: str, changing: bool, went_back: bool) -> None:
    found = read(task(), task(), UpdateStatus={"State": state})
    assert (found.changing, found.went_back) == (changing, went_back)


def test_others_services_are_not_ours() -> None:
    foreign = service()
    foreign["Spec"] = {**foreign["Spec"], "Labels": {}}
    assert read_replicated([foreign], [task()]) == ()
