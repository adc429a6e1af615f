"""What compose's words do to a stack, as docker commands; and what compose itself may still do."""

import itertools
from pathlib import Path

import pytest

from darkpeak.collective.model import Container, Place, Service
from darkpeak.deploy.door import make_create
from darkpeak.engine.engine import Engine
from darkpeak.engine.stacked import call, make_logs
from darkpeak.plan.door import hash_door

AT = Place("services/trio/docker-compose.yml", 1)
TRIO = Service(
    "trio",
    Path(),
    AT,
    project="darkpeak-trio",
    containers=(Container("web", AT, replicas="3"), Container("store", AT)),
    stacked=True,
)


@pytest.mark.parametrize("command", ["exec", "config", "ps", "logs"])
def test_compose_may_look(command: str) -> None:
    assert call(Engine("unix:///nowhere"), TRIO, (command, "web")) is None


@pytest.mark.parametrize("command", ["rm", "kill", "run", "create", "pause"])
def test_compose_may_not_touch_tasks(command: str) -> None:
    done = call(Engine("unix:///nowhere"), TRIO, (command, "web"))
    assert done
    assert (done.code, "trio runs as a stack" in done.last_line()) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--tail", "5"), ["darkpeak-trio_web", "darkpeak-trio_store"]),
        (("--tail", "5", "store"), ["darkpeak-trio_store"]),
    ],
)
def test_the_logs_of_a_stack(arguments: tuple[str, ...], expected: list[str]) -> None:
    assert make_logs(TRIO, arguments) == [("docker", "service", "logs", "--tail", "5", name) for name in expected]


def test_the_door_is_no_container_of_the_router() -> None:
    made = make_create(TRIO, "darkpeak-router-haproxy")
    labels = {word for before, word in itertools.pairwise(made) if before == "--label"}
    assert {"com.docker.compose.project=", "com.docker.compose.service=", "darkpeak.content="} <= labels
    assert f"darkpeak.door.hash={hash_door(TRIO)}" in labels
    assert made[-4:] == ("darkpeak-router-haproxy", "-db", "-f", "/etc/haproxy/door.cfg")
