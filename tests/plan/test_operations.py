"""Plans as text: each operation, in order, with its cause and what is done when it fails."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective import Collective
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.operations import UseImages
from darkpeak.plan.plan import Plan, make_plan, make_rollback
from darkpeak.plan.text import make_text
from tests.making import edit, write_collective, write_service

ROUTER = """\
name: darkpeak-router
x-darkpeak:
  {about: Leads, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy: {build: haproxy}
"""


@pytest.fixture
def files(tmp_path: Path) -> Collective:
    write_collective(tmp_path)
    write_service(tmp_path, "router", ROUTER, "haproxy")
    edit(tmp_path, "services/wiki/docker-compose.yml", "  level: alpha", "  level: alpha\n  certificate: webserver")
    return collective.read(tmp_path)[0]


def running(files: Collective, service: str, container: str, number: int = 1, **values: object) -> Running:
    """Return a container that is ready and matches its files, except for `values`."""
    entry = next(item for item in files.services if item.name == service)
    content = next((item.content for item in entry.containers if item.name == container), "")
    ready = {"state": "running", "health": "healthy", "content": content, "image": "image-1", **values}
    name = f"{entry.project}-{container}-{number}"
    return Running(f"id-{container}-{number}", entry.project, container, number, name, **ready)  # type: ignore[arg-type]


def text(plan: Plan, service: str) -> list[str]:
    """Return the lines of the plan about one service."""
    lines = [line for line in make_text(plan) if not line.startswith("nothing to do")]
    start = next(number for number, line in enumerate(lines) if line.split()[0] == service)
    own = lines[start + 1 :]
    end = next((number for number, line in enumerate(own) if not line.startswith("  ")), len(own))
    return [lines[start], *(line.strip() for line in own[:end])]


def plan(files: Collective, *containers: Running, backup_to: Path | None = None) -> Plan:
    there = [running(files, "router", "haproxy"), running(files, "directory", "slapd")]
    kept = [item for item in there if not any(item.container == other.container for other in containers)]
    names = frozenset(("router", "directory", "wiki"))
    return make_plan(files, Observed((*kept, *containers)), names, backup_to=backup_to)


def test_a_first_deploy(files: Collective) -> None:
    assert text(plan(files), "wiki") == [
        "wiki (after directory, router)",
        "webserver: it does not exist yet",
        "1. build webserver",
        "2. start its containers and wait until healthy",
        "3. sign the certificate of webserver",
        "4. route wiki",
    ]


def test_a_new_version_beside_the_old_one(files: Collective) -> None:
    old = running(files, "wiki", "webserver", content="old")
    assert text(plan(files, old), "wiki") == [
        "wiki (after directory, router)",
        "webserver: its files have changed",
        "1. build webserver",
        (
            "2. start a new webserver beside the old one and wait until healthy; "
            "if that fails, remove it; the old one keeps running"
        ),
        "3. sign the certificate of webserver",
        "4. route wiki; if a route does not answer, remove the new one; the old one keeps running",
        "5. wait at most 1 s for the last requests to the old one",
        "6. remove webserver: the new one has taken over",
        "note: going back does not undo changes to the data; to save the data first: up --backup-first DIR",
    ]


def test_a_new_version_in_its_place(files: Collective) -> None:
    old = running(files, "directory", "slapd", content="old")
    assert text(plan(files, running(files, "wiki", "webserver"), old), "directory") == [
        "directory",
        "slapd: its files have changed",
        "1. build slapd",
        "2. start its containers and wait until healthy; if that fails, start the version before again: slapd",
    ]


def test_data_is_saved_before_anything_is_touched(files: Collective) -> None:
    old = running(files, "wiki", "webserver", content="old")
    assert text(plan(files, old, backup_to=Path("/saved")), "wiki")[2:4] == [
        "1. build webserver",
        "2. back up its data to /saved/wiki; if that fails, stop",
    ]


def test_existing_builds_are_not_repeated(files: Collective) -> None:
    wiki = next(item for item in files.services if item.name == "wiki")
    observed = Observed((), (), ((wiki.containers[0].image, wiki.containers[0].content),))
    planned = make_plan(files, observed, frozenset(("wiki",))).services[0]
    assert [item.kind for item in planned.operations] == ["start"]


def test_an_instance_that_does_not_serve_is_removed_before_a_new_one_starts(files: Collective) -> None:
    serves = running(files, "wiki", "webserver", 1, content="old")
    ill = running(files, "wiki", "webserver", 2, content="old", health="unhealthy")
    assert text(plan(files, serves, ill), "wiki")[3] == "2. remove webserver: it is not ready"


def test_leftovers_of_an_interrupted_deploy_are_removed(files: Collective) -> None:
    left = running(files, "wiki", "webserver", 1, content="old")
    new = running(files, "wiki", "webserver", 2)
    assert text(plan(files, left, new), "wiki") == [
        "wiki (after directory, router)",
        "webserver: an interrupted deploy left another instance",
        "1. sign the certificate of webserver",
        "2. route wiki",
        "3. wait at most 1 s for the last requests to the old one",
        "4. remove webserver: an interrupted deploy left it",
    ]


def test_a_container_that_no_file_names_is_removed(files: Collective) -> None:
    gone = running(files, "wiki", "cache")
    told = text(plan(files, running(files, "wiki", "webserver"), gone), "wiki")
    assert told[1] == "cache: it is no longer in the compose file"
    assert told[-1].endswith("remove cache: it is no longer in the compose file")


def test_without_a_router_nothing_is_routed(files: Collective) -> None:
    planned = make_plan(files, Observed(), frozenset(("wiki",))).services[0]
    assert [item.kind for item in planned.operations] == ["build", "start"]


def test_a_change_of_the_router_ends_with_its_tables(files: Collective) -> None:
    told = text(plan(files, running(files, "router", "haproxy", content="old")), "router")
    assert told[-1] == "3. route all that differs"


def test_a_rollback_uses_the_earlier_images(files: Collective) -> None:
    wiki = next(item for item in files.services if item.name == "wiki")
    observed = Observed((running(files, "router", "haproxy"), running(files, "wiki", "webserver", image="image-2")))
    back = make_rollback(files, wiki, observed, {"webserver": "image-1"})
    assert back.operations[0] == UseImages((("webserver", "image-1"),))
    assert [item.kind for item in back.operations[1:]] == ["start beside", "certify", "route", "drain", "remove"]
    assert make_rollback(files, wiki, observed, {"webserver": "image-2"}).operations == ()


@pytest.mark.parametrize(
    ("project", "values", "orphans"),
    [
        ("darkpeak-old", {}, ("darkpeak-old",)),
        ("darkpeak-wiki-drill", {"scratch": True}, ()),
        ("look-at-this", {"scratch": True}, ()),
        ("another-project", {"content": ""}, ()),
    ],
    ids=["an old service", "a running drill", "a copy", "not ours"],
)
def test_orphans_are_listed_except_copies(
    files: Collective, project: str, values: dict[str, object], orphans: tuple[str, ...]
) -> None:
    other = Running("id", project, "webserver", 1, "x", "running", **{"content": "one", **values})  # type: ignore[arg-type]
    assert make_plan(files, Observed((other,)), frozenset(("wiki",))).orphans == orphans
