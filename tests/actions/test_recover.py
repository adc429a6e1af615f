"""The order in which the services of a lost machine are restored."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.actions.recover import LEFT, RESTORED, Recovered, in_order, require_all
from darkpeak.errors import CheckFailed
from tests.making import edit, write_collective, write_service

ROUTER = """\
name: darkpeak-router
x-darkpeak:
  {about: Leads, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy: {build: haproxy}
"""


def test_services_that_were_there_before_are_a_failure_with_what_to_do() -> None:
    done = [Recovered("wiki", LEFT), Recovered("chat", RESTORED, "chat-3"), Recovered("git", LEFT)]
    with pytest.raises(CheckFailed, match="not restored, because they were there before: wiki, git") as failed:
        require_all(done)
    assert failed.value.hint.endswith("darkpeak down --volumes wiki git")
    require_all([item for item in done if item.done != LEFT])


def test_the_router_is_first_then_services_that_others_depend_on(tmp_path: Path) -> None:
    write_collective(tmp_path)
    write_service(tmp_path, "router", ROUTER, "haproxy")
    found, _ = collective.read(tmp_path)
    assert [service.name for service in in_order(found, found.services)] == ["router", "directory", "wiki"]


def test_services_that_the_router_depends_on_come_before_it(tmp_path: Path) -> None:
    write_collective(tmp_path)
    write_service(tmp_path, "router", ROUTER, "haproxy")
    file = "services/router/docker-compose.yml"
    joined = (
        "{build: haproxy, networks: [directory]}\nnetworks: {directory: {name: darkpeak-directory, external: true}}\n"
    )
    edit(tmp_path, file, "{build: haproxy}\n", joined)
    found, _ = collective.read(tmp_path)
    assert [service.name for service in in_order(found, found.services)] == ["directory", "router", "wiki"]
