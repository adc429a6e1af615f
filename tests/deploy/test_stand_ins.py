"""Containers that answer for services of other hosts: how they are started, and when they are made again."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.stand_ins import StandIn
from darkpeak.deploy.stand_ins import PORTS_LABEL, differs, make_argv
from tests.making import write_collective

ROUTER = """\
name: darkpeak-router
x-darkpeak: {about: Routes, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy: {build: haproxy, network_mode: host, volumes: ["sockets:/run/sockets"]}
volumes: {sockets: {}}
"""
ONE = StandIn("directory", "darkpeak-directory", "north", "members", "net", "10.60.20.0/24", ((636, 6021),), ("wiki",))
SAME = {"State": "running", "Labels": {PORTS_LABEL: "636=6021"}, "ImageID": "new"}


def test_a_stand_in_can_do_nothing_but_lead_to_the_router(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    folder = root / "services" / "router"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text(ROUTER)
    argv = make_argv(collective.read(root)[0], ONE)
    assert argv[-3:] == ("darkpeak-router-haproxy", "stand-in", "636=6021")
    assert {"--network=members", "--network-alias=directory", "--cap-drop=ALL", "--read-only"} < set(argv)
    assert [word for word in argv if word.startswith("--volume")] == ["--volume=darkpeak-router_sockets:/run/sockets"]
    assert not [word for word in argv if word.startswith("--publish")]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "there is none yet"),
        (SAME, ""),
        (SAME | {"State": "exited"}, "it is exited"),
        (SAME | {"Labels": {PORTS_LABEL: "389=6020"}}, "its ports have changed"),
        (SAME | {"ImageID": "old"}, "the router's image has changed"),
    ],
)
def test_a_stand_in_is_made_again_when_it_is_not_as_it_should_be(found: dict[str, object] | None, why: str) -> None:
    assert differs(ONE, found, "new") == why
    assert differs(replace(ONE, host="south"), found, "new") == why  # the router knows where it lives
