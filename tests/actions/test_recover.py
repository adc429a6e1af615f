"""The order in which the services of a lost machine are restored."""

from pathlib import Path

from darkpeak import collective
from darkpeak.actions.recover import in_order
from tests.making import edit, write_collective, write_service

ROUTER = """\
name: darkpeak-router
x-darkpeak:
  {about: Leads, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy: {build: haproxy}
"""


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
