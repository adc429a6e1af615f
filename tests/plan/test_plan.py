"""Plans as text: what is done with each container, and why."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.actions.up import with_dependencies
from darkpeak.collective import Collective
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.operations import Build
from darkpeak.plan.plan import Plan, make_plan
from darkpeak.plan.text import describe, make_text
from tests.making import edit, write_collective


@pytest.fixture
def files(tmp_path: Path) -> Collective:
    return collective.read(write_collective(tmp_path))[0]


def running(files: Collective, service: str, container: str, **values: str) -> Running:
    """Return a container that is ready and matches its files, except for `values`."""
    entry = next(item for item in files.services if item.name == service)
    content = next(item.content for item in entry.containers if item.name == container)
    ready = {"state": "running", "health": "healthy", "content": content, **values}
    return Running(f"id-{container}", entry.project, container, 1, f"{entry.project}-{container}-1", **ready)  # type: ignore[arg-type]


def as_text(plan: Plan) -> str:
    return "\n".join(
        f"{item.service}/{one.container} {one.action}: {one.cause}" for item in plan.services for one in item.decisions
    )


def plan_of(files: Collective, *containers: Running, names: tuple[str, ...] = ("directory", "wiki")) -> str:
    return as_text(make_plan(files, Observed(containers), frozenset(names)))


def test_an_empty_daemon_gets_everything(files: Collective) -> None:
    assert (
        plan_of(files) == "directory/slapd create: it does not exist yet\nwiki/webserver create: it does not exist yet"
    )


def test_there_is_nothing_to_do_if_everything_matches_the_files(files: Collective) -> None:
    containers = (running(files, "directory", "slapd"), running(files, "wiki", "webserver"))
    assert not make_plan(files, Observed(containers), frozenset(("directory", "wiki"))).changes


@pytest.mark.parametrize(
    ("values", "expected", "built"),
    [
        ({}, "replace: its packages are out of date", "build webserver without the cache"),
        ({"content": "older"}, "replace: its files have changed", "build webserver without the cache"),
        ({"state": "exited", "health": ""}, "start: it is exited", ""),
    ],
    ids=["up to date", "changed", "stopped"],
)
def test_an_outdated_container_is_built_anew(
    files: Collective, values: dict[str, str], expected: str, built: str
) -> None:
    observed = Observed((running(files, "wiki", "webserver", **values),))
    outdated = frozenset((("wiki", "webserver"), ("directory", "slapd"), ("gone", "x")))
    plan = make_plan(files, observed, frozenset(("wiki",)), outdated=outdated)
    assert as_text(plan) == f"wiki/webserver {expected}"
    builds = [describe(item) for item in plan.services[0].operations if isinstance(item, Build)]
    assert builds == ([built] if built else [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"content": "older"}, "wiki/webserver replace: its files have changed"),
        ({"content": ""}, "wiki/webserver replace: plain docker compose built its image"),
        ({"state": "exited", "health": ""}, "wiki/webserver start: it is exited"),
        ({"health": "unhealthy"}, "wiki/webserver recreate: it is unhealthy"),
        ({"health": ""}, "wiki/webserver nothing: it matches its files"),
    ],
    ids=["changed", "foreign", "stopped", "unhealthy", "no health check"],
)
def test_one_container_is_different(files: Collective, values: dict[str, str], expected: str) -> None:
    assert plan_of(files, running(files, "wiki", "webserver", **values), names=("wiki",)) == expected


def test_a_plan_shows_where_data_is_at_stake(files: Collective) -> None:
    plan = make_plan(files, Observed((running(files, "wiki", "webserver", content="older"),)), frozenset(("wiki",)))
    assert list(make_text(plan))[-1] == (
        "  note: going back does not undo changes to the data; to save the data first: up --backup-first DIR"
    )


def test_a_container_without_a_file_is_removed(files: Collective) -> None:
    old = Running("id-old", "darkpeak-wiki", "cache", 1, "darkpeak-wiki-cache-1", "running")
    expected = "wiki/webserver nothing: it matches its files\nwiki/cache remove: it is no longer in the compose file"
    assert plan_of(files, running(files, "wiki", "webserver"), old, names=("wiki",)) == expected


def test_a_service_comes_after_those_that_it_depends_on(files: Collective) -> None:
    plan = make_plan(files, Observed(), frozenset(("directory", "wiki")))
    assert {item.service: item.after for item in plan.services} == {"directory": (), "wiki": ("directory",)}


def test_a_plan_includes_the_services_that_a_service_depends_on(files: Collective) -> None:
    wiki = [service for service in files.services if service.name == "wiki"]
    assert with_dependencies(files, wiki) == {"directory", "wiki"}


def test_a_readme_changes_nothing_and_a_dockerfile_does(tmp_path: Path) -> None:
    root = write_collective(tmp_path)

    def content() -> str:
        wiki = next(item for item in collective.read(root)[0].services if item.name == "wiki")
        return wiki.containers[0].content

    first = content()
    (root / "services/wiki/README.md").write_text("other words")
    assert content() == first
    (root / "services/wiki/webserver/index.php").write_text("<?php")
    second = content()
    assert second != first
    (root / "services/wiki/webserver/index.php").chmod(0o755)
    assert content() != second


ONE_MORE = "\n  cache: {build: cache, volumes: [{type: volume, source: kept, target: /kept}]}\nnetworks:"
SHARED = {
    "another's volume": ("  kept: {}", "  kept: {labels: {a: b}}", {"cache"}),
    "a volume that nobody uses": ("  kept: {}", "  kept: {}\n  more: {}", set()),
    "its own volume": ("  data: {}", "  data: {labels: {a: b}}", {"webserver"}),
    "a network that it joins": ("-directory, external", "-members, external", {"webserver"}),
    "the default network": ("10.60.10.0/24", "10.60.10.0/25", {"webserver", "cache"}),
    "the project's name": ("name: darkpeak-wiki", "name: darkpeak-pages", {"webserver", "cache"}),
}


@pytest.mark.parametrize(("old", "new", "changed"), SHARED.values(), ids=SHARED)
def test_what_one_container_uses_does_not_change_the_others(
    tmp_path: Path, old: str, new: str, changed: set[str]
) -> None:
    """Plain compose does not recreate them either."""
    root, file = write_collective(tmp_path), "services/wiki/docker-compose.yml"
    edit(root, file, "\nnetworks:", ONE_MORE)
    edit(root, file, "  data: {}\n", "  data: {}\n  kept: {}\n")

    def contents() -> dict[str, str]:
        wiki = next(item for item in collective.read(root)[0].services if item.name == "wiki")
        return {item.name: item.content for item in wiki.containers}

    first = contents()
    edit(root, file, old, new)
    assert {name for name, content in contents().items() if content != first[name]} == changed
