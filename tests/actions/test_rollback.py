"""A rollback changes images only, so it refuses a deploy that had another container."""

from pathlib import Path

import pytest

from darkpeak.actions.rollback import require_containers
from darkpeak.collective.model import Container, Place, Service
from darkpeak.errors import UsageError
from darkpeak.evidence.deploys import Deploy

AT = Place("services/wiki/docker-compose.yml", 1)


def service(*containers: str) -> Service:
    return Service("wiki", Path(), AT, containers=tuple(Container(name, AT) for name in containers))


def deploy(*containers: str) -> Deploy:
    images = tuple((name, f"sha256:{name}") for name in containers)
    return Deploy(3, "wiki", "ada", "2026-01-01T00:00:00+00:00", "abc1234", "up", "up", images)


def test_a_container_that_was_renamed_cannot_be_brought_back() -> None:
    with pytest.raises(UsageError) as refused:
        require_containers(service("web"), deploy("webserver"))
    assert refused.value.message == "deploy 3 of wiki had webserver, which the compose file no longer has"
    assert refused.value.hint == "a rollback changes only images: check out commit abc1234, then: darkpeak up wiki"


def test_a_container_that_is_new_stays_as_it_is() -> None:
    require_containers(service("web", "new"), deploy("web"))
