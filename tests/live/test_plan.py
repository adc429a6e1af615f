"""Which containers a plan counts as a service's own; and faults that are found before anything is touched."""

from __future__ import annotations

import json
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import toy
from lab.collectives import Collective
from lab.commands import run, wait_for
from tests.live.daemons import desired

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = ("curl", "-sS", "--max-time", "20", "http://hello.localhost:7080/")


@pytest.fixture(scope="module")
def small(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collective]:
    """Yield a collective with a router and one small service, which run."""
    top = tmp_path_factory.mktemp("small")
    shutil.copy(collective.top / "collective.toml", top)
    shutil.copytree(collective.folder("router"), top / "services" / "router")
    one = Collective(top, collective.host)
    toy.add(one)
    one.darkpeak("up", timeout=600)
    yield one
    one.darkpeak("down", "--volumes", "--yes", timeout=180, check=False)


def docker(collective: Collective, *arguments: str) -> str:
    return run(["docker", "--host", collective.host.docker_host, *arguments], timeout=60).stdout.strip()


@pytest.mark.parametrize("how", ["docker run", "docker compose run"])
def test_a_container_started_for_debugging_stays_and_does_no_harm(small: Collective, how: str) -> None:
    """Its image has compose's labels, since compose built it."""
    web = docker(small, "ps", "-q", "--filter", "name=darkpeak-hello-web")
    if how == "docker run":
        docker(small, "run", "--detach", "--name", "debugging", "darkpeak-hello-web", "sleep", "600")
    else:
        small.compose(toy.NAME, "run", "--detach", "--name", "debugging", "--no-deps", "web", "sleep", "600")
    try:
        assert desired(small)
        assert small.darkpeak("up").stdout.startswith("nothing to do")
        toy.write(small, f"beside {how}")
        small.darkpeak("up", timeout=120)
        assert run(URL).stdout == f"beside {how}"
        assert docker(small, "inspect", "debugging", "--format", "{{.State.Status}}") == "running"
        assert docker(small, "ps", "-q", "--filter", "name=darkpeak-hello-web") != web
        assert desired(small)
    finally:
        docker(small, "rm", "--force", "debugging")


def test_no_clock_decides_which_container_is_new(small: Collective) -> None:
    """The old container's date is in the future, as on a Raspberry Pi before it reached a time server."""
    toy.write(small, "before")
    small.darkpeak("up", timeout=120)
    (old,) = docker(small, "ps", "-q", "--no-trunc", "--filter", "name=darkpeak-hello-web").split()
    ahead = (datetime.now(UTC) + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%S.0Z")
    small.host.stop_engine()
    file = Path("/var/lib/docker/containers") / old / "config.v2.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"Created": ahead}))
    small.host.start_engine()
    small.darkpeak("up", timeout=120)
    assert docker(small, "inspect", "--format", "{{.Created}}", old).startswith(ahead[:19])
    toy.write(small, "after")
    small.darkpeak("up", timeout=120)
    assert run(URL).stdout == "after"
    (new,) = docker(small, "ps", "-q", "--no-trunc", "--filter", "name=darkpeak-hello-web").split()
    assert new != old
    assert desired(small)


MIGRATE = """\
FROM debian:trixie
COPY code /
CMD ["sh", "-c", "echo migrated | tee -a /data/migrations; exit $(cat /code)"]
"""
WAITS = "    depends_on: {migrate: {condition: service_completed_successfully}}\n"
STUBBORN = 'CMD ["sh", "-c", "trap : TERM; busybox httpd -p 80 -h /page; while :; do sleep 1; done"]'


@pytest.fixture
def migrating(small: Collective) -> Iterator[Collective]:
    """Yield the collective; its small service has a migration, for which the web server waits."""
    folder, file = small.folder(toy.NAME), small.folder(toy.NAME) / "docker-compose.yml"
    text = file.read_text()
    (folder / "migrate").mkdir()
    (folder / "migrate" / "Dockerfile").write_text(MIGRATE)
    (folder / "migrate" / "code").write_text("0")
    migrate = '  migrate: {build: migrate, volumes: ["data:/data"]}\n  web:\n'
    web = f"    build: web\n    stop_grace_period: 2s\n{WAITS}"
    file.write_text(text.replace("  web:\n", migrate, 1).replace("    build: web\n", web, 1))
    yield small
    file.write_text(text)
    shutil.rmtree(folder / "migrate")
    small.darkpeak("up", timeout=120)


def test_a_container_that_is_meant_to_end_runs_once_and_again_when_it_has_changed(migrating: Collective) -> None:
    code = migrating.folder(toy.NAME) / "migrate" / "code"
    toy.write(migrating, "first")
    migrating.darkpeak("up", timeout=120)
    assert migrating.darkpeak("up").stdout.startswith("nothing to do")
    toy.write(migrating, "second")
    migrating.darkpeak("up", timeout=120)
    assert run(URL).stdout == "second"
    assert migrating.execute(toy.NAME, "web", "cat", "/data/migrations").stdout.split() == ["migrated"]
    before = docker(migrating, "ps", "-q", "--filter", "name=darkpeak-hello-web")
    code.write_text("3")
    toy.write(migrating, "third")
    failed = migrating.darkpeak("up", timeout=120, check=False)
    assert failed.returncode == 3
    assert "darkpeak-hello-migrate-1 ended with exit code 3" in failed.stderr
    assert "darkpeak-hello-migrate-1:\nmigrated" in failed.stderr
    assert docker(migrating, "ps", "-q", "--filter", "name=darkpeak-hello-web") == before
    assert run(URL).stdout == "second"
    assert json.loads(migrating.darkpeak("status", toy.NAME, "--json").stdout)[0]["state"] == "migrate failed"
    code.write_text("0")
    migrating.darkpeak("up", timeout=120)
    assert run(URL).stdout == "third"
    assert migrating.darkpeak("up").stdout.startswith("nothing to do")
    assert json.loads(migrating.darkpeak("status", toy.NAME, "--json").stdout)[0]["state"] == "healthy"


def test_an_old_container_is_stopped_within_its_own_time(migrating: Collective) -> None:
    file = migrating.folder(toy.NAME) / "web" / "Dockerfile"
    text = file.read_text()
    try:
        file.write_text(text.replace(text.splitlines()[-1], STUBBORN))
        migrating.darkpeak("up", timeout=120)
        file.write_text(text)
        began = time.monotonic()
        migrating.darkpeak("up", timeout=120)
        assert time.monotonic() - began < 25, "before, it was killed after 30 s"
    finally:
        file.write_text(text)


def test_an_error_of_compose_is_shown_with_its_line_before_anything_is_touched(small: Collective) -> None:
    path = small.folder(toy.NAME) / "docker-compose.yml"
    text, before = path.read_text(), docker(small, "ps", "-q")
    path.write_text(text.replace("    build: web\n", "    build: web\n    restrat: always\n", 1))
    line = path.read_text().splitlines().index("    restrat: always") + 1
    place = f"services/hello/docker-compose.yml:{line}"
    try:
        for command in ("up", "plan", "lint"):
            refused = small.darkpeak(command, check=False)
            assert refused.returncode == (1 if command == "lint" else 2)
            severity = "error: " if command == "lint" else ""
            assert f"{place}: {severity}unknown key restrat in services.web" in refused.stdout + refused.stderr
        assert docker(small, "ps", "-q") == before
    finally:
        path.write_text(text)
    assert desired(small)


def test_a_mistyped_dockerfile_is_found_with_its_line(small: Collective) -> None:
    path = small.folder(toy.NAME) / "web" / "Dockerfile"
    text = path.read_text()
    path.write_text(text.replace("EXPOSE 80", "EXPOES 80"))
    line = path.read_text().splitlines().index("EXPOES 80") + 1
    try:
        refused = small.darkpeak("up", check=False)
        assert refused.returncode == 2
        assert f"services/hello/web/Dockerfile:{line}: unknown instruction EXPOES" in refused.stderr
    finally:
        path.write_text(text)


def test_the_routers_ports_are_those_of_the_files_for_every_admin(small: Collective, tmp_path: Path) -> None:
    """The ports are changed in collective.toml; two clones have shells with other variables."""
    toml = small.top / "collective.toml"
    text = toml.read_text()
    toml.write_text(text + "\n[router]\nhttp = 8080\n")
    clone = Collective(tmp_path / "clone", small.host)
    moved = ("curl", "-sS", "--max-time", "20", "http://hello.localhost:8080/")
    shell = {**clone.environment, "DARKPEAK_HTTP_PORT": "9090"}
    try:
        assert "docker-compose.yml changed" in small.darkpeak("plan", check=False).stdout
        small.darkpeak("up", timeout=180)
        shutil.copytree(small.top, clone.top)  # the other admin has pulled what `up` wrote for plain compose
        assert run(moved).stdout
        assert run(URL, check=False).returncode == 7, "no program listens on the old port"
        assert "http://hello.localhost:8080/" in small.darkpeak("status").stdout
        for other in (small, clone):
            assert other.darkpeak("plan", env=shell).returncode == 0
            assert other.darkpeak("up", env=shell).stdout.startswith("nothing to do")
            assert "http://hello.localhost:8080/" in other.darkpeak("status", env=shell).stdout
        assert run(moved).stdout
    finally:
        toml.write_text(text)
        small.darkpeak("up", timeout=180)
    assert run(URL).stdout


def test_up_does_what_the_plan_shows_in_the_same_order(small: Collective) -> None:
    toy.write(small, "in order")
    planned = small.darkpeak("plan", toy.NAME, check=False)
    assert [line.strip() for line in planned.stdout.splitlines() if line[2:3].isdigit()] == [
        "1. build web",
        (
            "2. start a new web beside the old one and wait until healthy; "
            "if that fails, remove it; the old one keeps running"
        ),
        "3. route hello; if a route does not answer, remove the new one; the old one keeps running",
        "4. wait at most 1 s for the last requests to the old one",
        "5. remove web: the new one has taken over",
    ]
    (told,) = json.loads(small.darkpeak("plan", toy.NAME, "--json", check=False).stdout)
    kinds = [item["kind"] for one in told["plan"]["services"] for item in one["operations"]]
    assert kinds == ["build", "start beside", "route", "drain", "remove"]
    steps = small.darkpeak("up", toy.NAME, timeout=120).stderr
    places = [steps.index(word) for word in ("building", "beside the old one", "routing", "removing the old web")]
    assert places == sorted(places)


def test_a_route_changed_by_hand_is_in_the_plan(small: Collective) -> None:
    small.execute(
        "router",
        "haproxy",
        "sh",
        "-c",
        "echo 'set map /var/lib/router/http.map hello 6905' | socat - /run/haproxy/sock",
    )
    planned = small.darkpeak("plan", check=False)
    assert (planned.returncode, "the router differs from the files" in planned.stdout) == (1, True)
    assert "routes: router synchronised" in small.darkpeak("up").stdout
    assert desired(small)


def test_v_shows_the_builds_output_and_each_command(small: Collective) -> None:
    toy.write(small, "verbose")
    shown = small.darkpeak("up", "-v", toy.NAME, timeout=120).stderr
    assert "$ docker compose" in shown
    assert "COPY index.html /page/" in shown
    engine = small.darkpeak("status", "-vv").stderr
    assert "GET /containers/json" in engine


def test_a_service_moves_and_is_renamed_with_its_data(small: Collective) -> None:
    """Another block, another key of its volume, another name; a new name by hand is refused, and what runs stays."""
    file = small.folder(toy.NAME) / "docker-compose.yml"
    kept = file.read_text()
    toy.write(small, "moving")
    small.darkpeak("up", timeout=120)
    small.execute(toy.NAME, "web", "sh", "-c", "echo 340 >/data/members")
    try:
        small.darkpeak("move", toy.NAME, "6890")
        planned = small.darkpeak("plan", check=False).stdout
        assert "remove the network darkpeak-hello_default, which has another subnet in the files" in planned
        small.darkpeak("up", timeout=120)
        gateway = "{{range .IPAM.Config}}{{.Subnet}}{{end}}"
        assert docker(small, "network", "inspect", "darkpeak-hello_default", "--format", gateway) == "10.68.90.0/24"
        assert run(URL).stdout == "moving"
        assert desired(small)
        file.write_text(file.read_text().replace("data:/data", "pages:/data").replace("  data: {}", "  pages: {}"))
        assert "leaves the volume darkpeak-hello_data behind" in small.darkpeak("plan", check=False).stdout
        small.darkpeak("rename", toy.NAME, "--volume", "data=pages", timeout=180)
        assert small.execute(toy.NAME, "web", "cat", "/data/members").stdout == "340\n"
        by_hand = file.read_text()
        file.write_text(by_hand.replace("name: darkpeak-hello", "name: darkpeak-hello-two"))
        refused = small.darkpeak("up", timeout=120, check=False)
        assert "of the network darkpeak-hello_default (project darkpeak-hello)" in refused.stderr
        assert run(URL).stdout == "moving"
        file.write_text(by_hand)
        # A container in the way: the service gets its old name and its data back, and nothing of the new name is left.
        docker(small, "create", "--name", "darkpeak-greeting-web-1", "debian:trixie", "true")
        refused = small.darkpeak("rename", toy.NAME, "greeting", timeout=300, check=False)
        docker(small, "rm", "darkpeak-greeting-web-1")
        assert "hello was not renamed: greeting" in refused.stderr
        assert "it runs under its old name again" in refused.stderr
        assert (refused.returncode, file.read_text(), small.folder("greeting").exists()) == (3, by_hand, False)
        assert "greeting" not in docker(small, "volume", "ls", "-q") + docker(small, "network", "ls")
        assert run(URL).stdout == "moving"
        assert small.execute(toy.NAME, "web", "cat", "/data/members").stdout == "340\n"
        assert desired(small)
        small.darkpeak("rename", toy.NAME, "greeting", timeout=300)
        there = ("curl", "-sS", "--max-time", "20", "http://greeting.localhost:7080/")
        assert run(there).stdout == "moving"
        assert small.execute("greeting", "web", "cat", "/data/members").stdout == "340\n"
        assert desired(small)
    finally:
        new = small.folder("greeting")
        if new.exists():
            small.darkpeak("down", "--yes", "greeting", timeout=120, check=False)
            new.rename(small.folder(toy.NAME))
        small.darkpeak("down", "--yes", toy.NAME, timeout=120, check=False)
        file.write_text(kept)
        small.darkpeak("up", timeout=120)


@pytest.mark.parametrize("moment", ["copying its volumes", "routing"])
def test_an_interrupted_rename_changes_nothing(small: Collective, moment: str) -> None:
    """Ctrl-C at any step: it has its old name and its data, it answers, and nothing more has the new name."""

    def named() -> list[str]:
        kinds = ("ps -a --format {{.Names}}", "volume ls -q", "network ls --format {{.Name}}")
        return [name for kind in kinds for name in docker(small, *kind.split()).split() if "greeting" in name]

    toy.write(small, "kept")
    small.darkpeak("up", timeout=120)
    small.execute(toy.NAME, "web", "sh", "-c", "echo 340 >/data/members")
    file = small.folder(toy.NAME) / "docker-compose.yml"
    before, others = file.read_text(), named()
    with small.start("rename", toy.NAME, "greeting") as process:
        assert process.stderr
        for line in process.stderr:
            if moment in line:
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    assert (process.returncode, "interrupted" in said) == (130, True), said
    assert (file.read_text(), small.folder("greeting").exists()) == (before, False)
    assert named() == others
    wait_for("the service to answer", lambda: run(URL, check=False).stdout == "kept", timeout=30)
    assert small.execute(toy.NAME, "web", "cat", "/data/members").stdout == "340\n"
    assert desired(small)
