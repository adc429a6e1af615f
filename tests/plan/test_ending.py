"""Containers that are meant to end: when they run, and what waits for them."""

from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.collective import Collective
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.operations import Start
from darkpeak.plan.plan import make_plan, needs
from darkpeak.plan.status import state_of, stopped_of
from darkpeak.plan.text import make_text
from tests.making import edit, without_notes, write_collective

FILE = "services/wiki/docker-compose.yml"
WAITS = "    build: webserver\n    depends_on: {migrate: {condition: service_completed_successfully}}\n"
MIGRATE = "services:\n  migrate:\n    build: migrate\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a collective whose wiki has a migration, for which the web server waits."""
    write_collective(tmp_path)
    edit(tmp_path, FILE, "    build: webserver\n", WAITS)
    edit(tmp_path, FILE, "services:\n", MIGRATE)
    (tmp_path / "services/wiki/migrate").mkdir()
    (tmp_path / "services/wiki/migrate/Dockerfile").write_text(
        'FROM debian:trixie\nRUN apt-get update && apt-get upgrade -y\nCMD ["migrate"]\n'
    )
    return tmp_path


def read(root: Path) -> Collective:
    return collective.read(root)[0]


def seen(files: Collective, container: str, state: str, code: int | None = None, content: str = "") -> Running:
    wiki = next(item for item in files.services if item.name == "wiki")
    content = content or next(item.content for item in wiki.containers if item.name == container)
    health = "healthy" if container == "webserver" and state == "running" else ""
    name = f"wiki-{container}-1"
    return Running(f"id-{container}", wiki.project, container, 1, name, state, health, content, exit_code=code)


def plan(files: Collective, *running: Running) -> list[str]:
    shown = make_text(make_plan(files, Observed(running), frozenset(("wiki",))))
    return [line.strip() for line in shown]


def test_no_health_check_is_asked_of_it(root: Path) -> None:
    assert [item.what for item in without_notes(lint.check(read(root)))] == []


def test_it_is_up_to_date_when_it_ended_well(root: Path) -> None:
    files = read(root)
    running = (seen(files, "migrate", "exited", 0), seen(files, "webserver", "running"))
    assert plan(files, *running) == ["nothing to do: wiki"]
    assert state_of(next(item for item in files.services if item.name == "wiki"), running) == "healthy"


def test_a_restore_does_not_start_it_again_if_it_ended_well(root: Path) -> None:
    files = read(root)
    wiki = next(item for item in files.services if item.name == "wiki")
    failed, ended = seen(files, "migrate", "exited", 3), seen(files, "migrate", "exited", 0)
    server = seen(files, "webserver", "exited", 0)
    assert stopped_of(wiki, (ended, server)) == [server]
    assert stopped_of(wiki, (failed,)) == [failed]


@pytest.mark.parametrize(
    ("state", "code", "cause", "shown"),
    [
        ("exited", 3, "migrate: it ended with exit code 3", "migrate failed"),
        ("exited", 137, "migrate: it ended with exit code 137", "migrate failed"),
        ("created", None, "migrate: it is created", "migrate stopped"),
    ],
)
def test_it_runs_again_if_it_did_not_end_well(root: Path, state: str, code: int | None, cause: str, shown: str) -> None:
    files = read(root)
    running = (seen(files, "migrate", state, code), seen(files, "webserver", "running"))
    assert plan(files, *running)[1:3] == [
        cause,
        "1. run migrate to the end; if that fails, stop: what runs stays as it is",
    ]
    assert state_of(next(item for item in files.services if item.name == "wiki"), running) == shown


def test_it_runs_before_anything_is_stopped(root: Path) -> None:
    """Both have changed, and the web server has only one port: a migration that fails leaves it as it is."""
    edit(root, FILE, "6010-6011:80", "6010:80")
    files = read(root)
    running = (seen(files, "migrate", "exited", 0, "old"), seen(files, "webserver", "running", content="old"))
    assert plan(files, *running)[3:6] == [
        "1. build migrate, webserver",
        "2. run migrate to the end; if that fails, stop: what runs stays as it is",
        "3. start webserver and wait until healthy; if that fails, start the version before again: webserver",
    ]


def test_it_does_not_run_again_when_only_others_changed(root: Path) -> None:
    edit(root, FILE, "6010-6011:80", "6010:80")
    files = read(root)
    running = (seen(files, "migrate", "exited", 0), seen(files, "webserver", "running", content="old"))
    assert plan(files, *running)[3].startswith("2. start webserver and wait until healthy")


def test_it_comes_after_what_it_needs_itself(root: Path) -> None:
    """The database does not run yet, so compose starts all of them in its order."""
    edit(root, FILE, "    build: migrate\n", "    build: migrate\n    depends_on: [database]\n")
    edit(root, FILE, "services:\n", "services:\n  database: {build: webserver, restart: always}\n")
    files = read(root)
    running = (seen(files, "migrate", "exited", 3), seen(files, "webserver", "running"))
    assert plan(files, *running)[4] == "2. start its containers and wait until healthy"


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ('restart: "no"', True),
        ("restart: on-failure", True),
        ("restart: on-failure:3", True),
        ("restart: unless-stopped", False),
        ("restart: always", False),
        ("", False),
        ('restart: "no"\n    ports: ["127.0.0.1:6012:80"]', False),
        ('restart: "no"\n    healthcheck: {test: [CMD, health]}', False),
    ],
)
def test_what_the_compose_file_says_of_it(root: Path, lines: str, *, ends: bool) -> None:
    edit(root, FILE, "    depends_on: {migrate: {condition: service_completed_successfully}}\n", "")
    edit(root, FILE, "    build: migrate\n", f"    build: migrate\n    {lines}\n")
    wiki = next(item for item in read(root).services if item.name == "wiki")
    assert next(item.ends for item in wiki.containers if item.name == "migrate") is ends


def test_what_a_container_needs_is_known_where_compose_may_look_at_it(root: Path) -> None:
    """So that a container that is started alone is the same for plain compose as one that is started with all."""
    edit(root, FILE, "    build: migrate\n", "    build: migrate\n    links: ['store:db']\n")
    edit(
        root,
        FILE,
        MIGRATE.partition("\n")[0],
        "services:\n  store: {build: store, volumes_from: ['media:ro']}\n  media: {build: media}",
    )
    wiki = next(item for item in read(root).services if item.name == "wiki")
    assert needs(wiki, ("webserver",)) == ("store", "media", "migrate")
    assert needs(wiki, ("webserver", "store")) == ("media", "migrate")
    assert needs(wiki, ("media",)) == ()


@pytest.mark.parametrize(
    ("migrate", "changed", "asked"),
    [("", {"webserver"}, True), ("    depends_on: [store]\n", {"store", "webserver"}, False)],
    ids=["it needs nothing that changes", "it needs what changes"],
)
def test_compose_does_not_recreate_what_has_ended(root: Path, migrate: str, changed: set[str], *, asked: bool) -> None:
    edit(root, FILE, "    build: migrate\n", f"    build: migrate\n{migrate}")
    edit(root, FILE, "6010-6011:80", "6010:80")  # so it is not replaced side by side
    edit(root, FILE, "services:\n", "services:\n  store: {build: store, ports: ['127.0.0.1:6014:80']}\n")
    files = read(root)
    ready = {"migrate": ("exited", 0), "store": ("running", None), "webserver": ("running", None)}
    running = [seen(files, name, *state, content="old" * (name in changed)) for name, state in ready.items()]
    (planned,) = make_plan(files, Observed(tuple(running)), frozenset(("wiki",))).services
    assert [item.create for item in planned.operations if isinstance(item, Start)] == [asked]
