"""A service as a stack: its file for the swarm, its door, what `up` decides, and what `status` says."""

from pathlib import Path
from typing import Any

import pytest

from darkpeak import collective
from darkpeak.collective import Collective
from darkpeak.collective.model import Service
from darkpeak.errors import UsageError
from darkpeak.plan.conflicts import find_conflicts
from darkpeak.plan.decisions import OUTDATED
from darkpeak.plan.door import hash_door, make_door, ports_of_door
from darkpeak.plan.observed import Observed, Replicated, Running
from darkpeak.plan.operations import GoBack
from darkpeak.plan.plan import Plan, make_plan, make_rollback
from darkpeak.plan.routes import make_table
from darkpeak.plan.stack import Built, make_stack
from darkpeak.plan.status import state_in
from darkpeak.plan.text import make_text
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
HOST = '\n[hosts.cluster]\ndocker = "ssh://ops@server"\nswarm = true\nservices = ["wiki"]\n'
PROJECT = "darkpeak-wiki"
STORE = """\
  store:
    build: webserver
    volumes: ["data:/var/lib/wiki"]
networks:
"""


@pytest.fixture
def files(tmp_path: Path) -> Collective:
    """Return a collective whose wiki is a stack: three web servers, and a store with the volume."""
    write_collective(tmp_path)
    edit(tmp_path, FILE, '    volumes: ["data:/var/lib/wiki"]\n', "    deploy: {replicas: 3}\n")
    edit(tmp_path, FILE, "    networks: [default, directory]\n", "")
    edit(tmp_path, FILE, "  directory: {name: darkpeak-directory, external: true}\n", "")
    edit(tmp_path, FILE, "networks:\n", STORE)
    with (tmp_path / "collective.toml").open("a") as file:
        file.write(HOST)
    return collective.read(tmp_path)[0].on("cluster")


@pytest.fixture
def wiki(files: Collective) -> Service:
    return next(service for service in files.services if service.name == "wiki")


def resolved(**more: Any) -> dict[str, Any]:
    """Return what compose makes of the wiki's file, with more keys of the web server."""
    web: dict[str, Any] = {
        "build": {},
        "command": None,
        "deploy": {"replicas": 3},
        "networks": {"default": None},
        "ports": [{}],
    }
    mount = {"type": "volume", "source": "data", "target": "/var/lib/wiki", "volume": {}}
    store = {"build": {}, "networks": {"default": None}, "volumes": [mount]}
    return {
        "name": PROJECT,
        "services": {"webserver": {**web, **more}, "store": store},
        "networks": {"default": {"name": f"{PROJECT}_default", "ipam": {"config": [{"subnet": "10.60.10.0/24"}]}}},
        "volumes": {"data": {"name": f"{PROJECT}_data"}},
    }


def stack(wiki: Service, **more: Any) -> dict[str, Any]:
    images = {name: Built(f"sha256:{name}", f"content-{name}", '{"a$b":"1"}') for name in ("webserver", "store")}
    return make_stack(wiki, resolved(**more), images)


def test_the_file_of_a_stack(wiki: Service) -> None:
    made = stack(wiki, mem_limit="67108864", pids_limit=50, restart="unless-stopped", init=True)
    web, store = made["services"]["webserver"], made["services"]["store"]
    assert web == {
        "image": "sha256:webserver",
        "init": True,
        "networks": {"default": None},
        "labels": {
            "com.docker.compose.project": PROJECT,
            "com.docker.compose.service": "webserver",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.container-number": "1",
            "com.docker.compose.config-hash": "stack",
            "darkpeak.content": "content-webserver",
            "darkpeak.parts": '{"a$$b":"1"}',
        },
        "deploy": {
            "replicas": 3,
            "endpoint_mode": "dnsrr",
            "update_config": {"order": "start-first", "failure_action": "rollback"},
            "rollback_config": {"order": "start-first"},
            "restart_policy": {"condition": "any"},
            "resources": {"limits": {"memory": "67108864", "pids": 50}},
        },
    }
    assert store["deploy"]["update_config"]["order"] == "stop-first"
    assert store["deploy"]["placement"] == {"constraints": ["node.labels.darkpeak.data == true"]}
    assert made["volumes"]["data"]["labels"]["com.docker.compose.volume"] == "data"
    assert made["networks"] == {
        "default": {
            "name": f"{PROJECT}_default",
            "driver": "overlay",
            "attachable": True,
            "driver_opts": {"com.docker.network.driver.mtu": "1300"},
            "ipam": {"config": [{"subnet": "10.60.10.0/24"}]},
        }
    }


def test_what_is_written_about_updates_stays(wiki: Service) -> None:
    written = {
        "replicas": 2,
        "update_config": {"order": "stop-first", "parallelism": 2},
        "restart_policy": {"condition": "none"},
    }
    made = stack(wiki, deploy=written)["services"]["webserver"]["deploy"]
    assert made["update_config"] == {"order": "stop-first", "failure_action": "rollback", "parallelism": 2}
    assert made["restart_policy"] == {"condition": "none"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("privileged", True),
        ("network_mode", "host"),
        ("devices", ["/dev/x"]),
        ("networks", {"default": {"ipv4_address": "10.60.10.9"}}),
    ],
    ids=["privileged", "network_mode", "devices", "an address"],
)
def test_nothing_is_lost_in_silence(wiki: Service, key: str, value: object) -> None:
    with pytest.raises(UsageError, match="which a stack cannot keep"):
        stack(wiki, **{key: value})


def test_the_door_has_each_published_port(wiki: Service) -> None:
    assert ports_of_door(wiki) == (6010, 6011)
    text = make_door(wiki)
    for port in (6010, 6011):
        assert f"listen {port}\n    bind :{port}\n    server-template task 10 tasks.webserver:80\n" in text
    assert "monitor fail if { nbsrv(6010) lt 1 } or { nbsrv(6011) lt 1 }" in text


def replicated(files: Collective, wiki: Service, name: str, **values: Any) -> Replicated:
    """Return a container of the stack that matches its files, except for `values`."""
    assert files
    content = next(item.content for item in wiki.containers if item.name == name)
    wanted = 3 if name == "webserver" else 1
    ready = {"content": content, "wanted": wanted, "ready": wanted, "image": f"sha256:{name}", **values}
    return Replicated(PROJECT, name, f"id-{name}", **ready)


def observed(files: Collective, wiki: Service, *, door: bool = True, **values: Any) -> Observed:
    both = (replicated(files, wiki, "webserver", **values), replicated(files, wiki, "store"))
    return Observed(stacks=both, doors=((PROJECT, hash_door(wiki)),) if door else ())


def as_text(plan: Plan) -> list[str]:
    return list(make_text(plan))


def test_what_matches_is_left(files: Collective, wiki: Service) -> None:
    assert as_text(make_plan(files, observed(files, wiki), frozenset({"wiki"}))) == ["nothing to do: wiki"]


@pytest.mark.parametrize(
    ("values", "door", "cause"),
    [
        ({"content": "old", "parts": (("x", "1"),)}, True, "changed"),
        ({"wanted": 0, "ready": 0}, True, "it is stopped"),
        ({}, False, "its door to the router does not run"),
    ],
    ids=["changed", "stopped", "no door"],
)
def test_what_differs_is_given_to_the_swarm(
    files: Collective, wiki: Service, values: dict[str, Any], *, door: bool, cause: str
) -> None:
    plan = make_plan(files, observed(files, wiki, door=door, **values), frozenset({"wiki"}))
    lines = as_text(plan)
    assert cause in "\n".join(lines)
    assert any(
        "give it to the swarm and wait until healthy; if that fails, the swarm goes back" in line for line in lines
    )


def test_outdated_packages_are_built_anew(files: Collective, wiki: Service) -> None:
    plan = make_plan(files, observed(files, wiki), frozenset({"wiki"}), outdated=frozenset({("wiki", "webserver")}))
    lines = as_text(plan)
    assert f"  webserver: {OUTDATED}" in lines
    assert "  1. build webserver without the cache" in lines


def test_a_failed_update_names_the_images_of_before(files: Collective, wiki: Service) -> None:
    plan = make_plan(files, observed(files, wiki, content="old"), frozenset({"wiki"}))
    given = [item.otherwise for service in plan.services for item in service.operations if item.kind == "deploy stack"]
    assert given == [GoBack((("webserver", "sha256:webserver"), ("store", "sha256:store")))]


def test_a_rollback_uses_earlier_images(files: Collective, wiki: Service) -> None:
    before = {"webserver": "sha256:earlier", "store": "sha256:store"}
    plan = make_rollback(files, wiki, observed(files, wiki), before)
    assert [item.kind for item in plan.operations] == ["use images", "deploy stack"]
    same = {"webserver": "sha256:webserver", "store": "sha256:store"}
    assert make_rollback(files, wiki, observed(files, wiki), same).operations == ()


@pytest.mark.parametrize(
    ("values", "state"),
    [({}, "healthy"), ({"ready": 2}, "webserver 2 of 3"), ({"ready": 0}, "webserver starting")],
)
def test_its_state(files: Collective, wiki: Service, values: dict[str, Any], state: str) -> None:
    assert state_in(wiki, observed(files, wiki, **values)) == state


def test_a_stack_that_is_not_there_is_absent(wiki: Service) -> None:
    assert state_in(wiki, Observed()) == "absent"


def test_its_routes_stay_wherever_its_tasks_run(files: Collective, wiki: Service) -> None:
    table = make_table(files, observed(files, wiki))
    assert [(route.label, route.port) for route in table.http] == [("wiki", 6010)]


@pytest.mark.parametrize(
    ("stacked", "task", "found"),
    [
        (True, False, ["it runs as containers of compose, and not as a stack"]),
        (True, True, []),
        (False, False, ["it runs as a stack, and not as containers of compose"]),
    ],
    ids=["as containers", "as a stack", "as both"],
)
def test_what_runs_the_other_way_is_in_the_way(
    files: Collective, wiki: Service, *, stacked: bool, task: bool, found: list[str]
) -> None:
    running = Running("1", PROJECT, "webserver", 1, "wiki-1", "running", task=task)
    there = Observed((running,), stacks=() if stacked else observed(files, wiki).stacks)
    service = wiki if stacked else next(item for item in files.on("").services if item.name == "wiki")
    conflicts = [item for item in find_conflicts(files, [service], there, []) if item.rule == "other-way"]
    assert [item.what for item in conflicts] == found
