"""A container with a pair of ports may get the other one at each start: the router finds it, with nobody's help."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkpeak.system.base import DAEMON
from lab import toy
from lab.commands import run, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective
    from lab.commands import Result

ANSWERS_WITHIN = 30
PUBLIC = 5900
# Three containers with pairs of ports, by http and tcp, and one that ends as soon as it starts.
COMPOSE = f"""\
name: darkpeak-{toy.NAME}
x-darkpeak:
  about: Has ports that move
  block: 6900
  routes: {{http: {{hello: 6900, other: 6903}}, tcp: {{"{PUBLIC}": 6905}}}}
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  web: &web
    build: web
    init: true
    restart: unless-stopped
    ports: ["127.0.0.1:6900-6901:80"]
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
  other: {{<<: *web, ports: ["127.0.0.1:6902-6903:80"]}}
  stream: {{<<: *web, ports: ["127.0.0.1:6904-6905:80"]}}
networks:
  default: {{ipam: {{config: [{{subnet: 10.69.0.0/24}}]}}}}
"""
BROKEN = """\
name: darkpeak-broken
services:
  web: {image: darkpeak-hello-web, command: ["false"], restart: unless-stopped, ports: ["127.0.0.1:6910-6911:80"]}
"""
ROUTES = {
    "hello": ["-H", "Host: hello.localhost", "http://127.0.0.1:7080/"],
    "other": ["-H", "Host: other.localhost", "http://127.0.0.1:7080/"],
    "stream": [f"http://127.0.0.1:{PUBLIC}/"],
}


@pytest.fixture(scope="module")
def moving(collective: Collective) -> Iterator[Collective]:
    """Yield a collective with the router, the service above, and a container that never works."""
    toy.add(collective)
    compose = collective.folder(toy.NAME) / "docker-compose.yml"
    compose.write_text(COMPOSE)
    collective.darkpeak("up", "router", toy.NAME, timeout=600)
    broken = collective.top / "broken"
    broken.mkdir()
    (broken / "docker-compose.yml").write_text(BROKEN)
    collective.compose(str(broken), "up", "-d")
    yield collective
    collective.compose(str(broken), "down", check=False)


def ask(name: str) -> str:
    """Return the page of a route, asked once, through the router."""
    return run(["curl", "-s", "--max-time", "12", *ROUTES[name]], check=False).stdout


def all_answer() -> bool:
    return all(ask(name) == "first" for name in ROUTES)


def docker(collective: Collective, *arguments: str) -> Result:
    """Run the docker client."""
    return run(["docker", "--host", collective.host.docker_host, *arguments])


def ports(collective: Collective) -> dict[str, int]:
    """Return the port that each container of the service has now."""
    found = docker(collective, "ps", "--filter", f"name=darkpeak-{toy.NAME}", "--format", "{{.Names}} {{.Ports}}")
    lines = (line.split() for line in found.stdout.splitlines() if "->" in line)
    return {name: int(shown.partition(":")[2].partition("-")[0]) for name, shown, *_ in lines}


def crash(collective: Collective) -> None:
    """Kill the processes of all containers of the service, and wait until the engine has started them again."""
    for name in ports(collective):
        pid = docker(collective, "inspect", "-f", "{{.State.Pid}}", name).stdout.strip()
        collective.host.run(["kill", "-KILL", pid])
    wait_for("three containers", lambda: len(ports(collective)) == len(ROUTES), timeout=60)


def kill_engine(collective: Collective) -> None:
    """Kill dockerd; with live-restore, the containers run on."""
    collective.host.kill_engine()
    collective.host.start_engine()


def cut_power(collective: Collective) -> None:
    """Kill the engine and all containers at the same moment."""
    running = docker(collective, "ps", "-q").stdout.split()
    pids = docker(collective, "inspect", "-f", "{{.State.Pid}}", *running).stdout.split()
    engine = "dockerd|containerd|containerd-shim.*"
    collective.host.run(["pkill", "-KILL", "-x", engine])
    collective.host.run(["kill", "-KILL", *(pid for pid in pids if pid != "0")], check=False)  # some have just ended
    wait_for("the engine's end", lambda: collective.host.run(["pgrep", "-x", engine], check=False).returncode)
    collective.host.start_engine()


def stop_engine(collective: Collective) -> None:
    collective.host.stop_engine()
    collective.host.start_engine()


def restart_each(collective: Collective) -> None:
    for name in ports(collective):
        docker(collective, "restart", "-t", "0", name)


RESTARTS: dict[str, Callable[[Collective], object]] = {
    "darkpeak restart": lambda collective: collective.darkpeak("restart", toy.NAME),
    "docker restart": restart_each,
    "compose restart": lambda collective: collective.compose(toy.NAME, "restart", "-t", "0"),
    "compose stop, start": lambda collective: (
        collective.compose(toy.NAME, "stop", "-t", "0"),
        collective.compose(toy.NAME, "start"),
    ),
    "crash": crash,
    "power cut": cut_power,
    "engine stopped": stop_engine,
    "router restarted": lambda collective: collective.compose("router", "restart", "-t", "1"),
}


@pytest.mark.parametrize("restart", RESTARTS.values(), ids=RESTARTS)
def test_after_a_restart_every_route_answers(moving: Collective, restart: Callable[[Collective], object]) -> None:
    for _ in range(2):  # from the first port to the second, and back
        restart(moving)
        wait_for("the routes", all_answer, timeout=ANSWERS_WITHIN)
    assert moving.darkpeak("routes", "--check").returncode == 0
    assert moving.darkpeak("plan", toy.NAME).stdout.startswith("nothing to do")


def test_a_container_does_move(moving: Collective) -> None:
    """Without this, the other tests would show nothing."""
    before = ports(moving)
    moving.darkpeak("restart", toy.NAME)
    after = ports(moving)
    assert all(before[name] != after[name] for name in before), (before, after)


def test_requests_during_a_restart_wait_for_it(moving: Collective) -> None:
    restarting = moving.start("restart", toy.NAME)
    try:
        while restarting.poll() is None:
            assert ask("hello") == "first"
    finally:
        restarting.communicate(timeout=60)


def test_a_deploy_after_a_restart_loses_no_request(moving: Collective) -> None:
    moving.darkpeak("restart", toy.NAME)
    toy.write(moving, "second")
    deploying = moving.start("up", toy.NAME)
    seen = set()
    try:
        while deploying.poll() is None:
            seen.add(ask("hello"))
    finally:
        said = deploying.communicate(timeout=120)
        toy.write(moving, "first")
        moving.darkpeak("up", toy.NAME, timeout=300)
    assert (deploying.returncode, seen) == (0, {"first", "second"}), said


def test_a_wrong_port_is_never_led_to(moving: Collective) -> None:
    """The new version is healthy, but publishes a port at which nothing listens."""
    path, dockerfile = (moving.folder(toy.NAME) / file for file in ("docker-compose.yml", "web/Dockerfile"))
    path.write_text(COMPOSE.replace("6900-6901:80", "6900-6901:81"))
    dockerfile.write_text(toy.DOCKERFILE.replace("EXPOSE 80", "EXPOSE 80 81"))
    deploying = moving.start("up", toy.NAME)
    try:
        while deploying.poll() is None:
            assert ask("hello") == "first"
    finally:
        said = deploying.communicate(timeout=120)
        path.write_text(COMPOSE)
        dockerfile.write_text(toy.DOCKERFILE)
    assert deploying.returncode == 3, said
    assert "was not routed: nothing answers at hello (port 81 of its container; services/hello/" in said[1]
    assert "the version before never stopped" in said[1]
    assert ask("hello") == "first"


def test_faults_of_others_stop_nothing(moving: Collective) -> None:
    """An empty folder, a file that is no YAML, one that compose refuses, a route that is not allowed."""
    others = {
        "empty": None,
        "torn": "services: [",
        "refused": "restrat: always",
        "lost": "x-darkpeak: {routes: {http: 22}}",
    }
    for name, text in others.items():
        moving.folder(name).mkdir()
        if text is not None:
            (moving.folder(name) / "docker-compose.yml").write_text(f"name: darkpeak-{name}\n{text}\n")
    toy.write(moving, "second")
    try:
        done = moving.darkpeak("up", toy.NAME, check=False)
        every = moving.darkpeak("plan", check=False)
    finally:
        toy.write(moving, "first")
        for name in others:
            shutil.rmtree(moving.folder(name))
    assert (done.returncode, ask("hello")) == (0, "second"), done.stderr
    assert every.returncode == 2
    assert all(f"services/{name}/docker-compose.yml:" in every.stderr for name in others), every.stderr
    moving.darkpeak("up", toy.NAME)


def test_what_runs_stays_routed_when_its_project_gets_another_name(moving: Collective) -> None:
    path = moving.folder(toy.NAME) / "docker-compose.yml"
    path.write_text(COMPOSE.replace("darkpeak-hello", "darkpeak-other"))
    try:
        moving.darkpeak("up", toy.NAME, check=False)
        assert all_answer()
        moving.darkpeak("up", "router")
        assert all_answer()
    finally:
        moving.compose(toy.NAME, "down")
        path.write_text(COMPOSE)


def test_status_asks_through_the_router(moving: Collective) -> None:
    """The health checks of a server that hangs pass, but it is not reached."""
    moving.host.run(["pkill", "-STOP", "-f", "[h]ttpd -f -p 80"])
    try:
        states = [json.loads(moving.darkpeak("status", toy.NAME, "--json").stdout)[0]["state"]]
    finally:
        moving.host.run(["pkill", "-CONT", "-f", "[h]ttpd -f -p 80"])
    wait_for("the routes", all_answer, timeout=ANSWERS_WITHIN)
    states += [json.loads(moving.darkpeak("status", toy.NAME, "--json").stdout)[0]["state"]]
    assert states == ["unreachable", "healthy"]


def test_restart_says_that_a_service_does_not_answer(moving: Collective) -> None:
    """Its container is healthy, but listens at another port than the one it publishes."""
    path = moving.folder(toy.NAME) / "docker-compose.yml"
    path.write_text(
        COMPOSE.replace("    build: web\n", "    build: web\n    command: [busybox, httpd, -f, -p, '81']\n")
    )
    try:
        moving.compose(toy.NAME, "up", "-d", "--no-build", "--force-recreate")
        done = moving.darkpeak("restart", toy.NAME, check=False)
    finally:
        path.write_text(COMPOSE)
        moving.compose(toy.NAME, "up", "-d", "--no-build")
    assert done.returncode == 3
    assert "hello runs, but does not answer through the router at hello.localhost, other.localhost" in done.stderr
    wait_for("the routes", all_answer, timeout=ANSWERS_WITHIN)


@pytest.fixture
def prepared(moving: Collective) -> Iterator[Collective]:
    """Yield the collective on an engine with the settings of `darkpeak host prepare`."""
    settings = Path(moving.host.slot.folder) / "daemon.json"
    before = settings.read_text()
    moving.host.stop_engine()
    settings.write_text(json.dumps(json.loads(before) | DAEMON))
    moving.host.start_engine()
    yield moving
    moving.host.stop_engine()
    settings.write_text(before)
    moving.host.start_engine()


def test_restarts_in_every_order(prepared: Collective, campaign: Callable[[int], int]) -> None:
    """100 reboots and crashes, in random order, while another service stays broken: all routes answer within 30 s."""
    restarts = RESTARTS | {"engine killed": kill_engine}
    chosen = random.choices(list(restarts), k=campaign(100))  # noqa: S311
    for number, name in enumerate(chosen):
        restarts[name](prepared)
        wait_for(f"the routes, after {chosen[: number + 1]}", all_answer, timeout=ANSWERS_WITHIN)
