"""Names and blocks that changed: volumes left behind, networks with another subnet, what another project has."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective import Collective
from darkpeak.plan.conflicts import find_conflicts
from darkpeak.plan.facts import Network
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.plan import make_plan
from darkpeak.plan.text import make_text
from darkpeak.plan.volumes import with_volumes
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
PROJECT, KEY = "com.docker.compose.project", "com.docker.compose.volume"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_collective(tmp_path)


def seen(root: Path, service: str, container: str, address: str, content: str = "") -> Running:
    """Return a container that is ready, at an address in its service's network."""
    entry = next(item for item in collective.read(root)[0].services if item.name == service)
    content = content or next(item.content for item in entry.containers if item.name == container)
    network = "darkpeak-directory" if address.startswith("10.60.20") else f"{entry.project}_default"
    addresses = ((network, address),)
    name = f"{entry.project}-{container}-1"
    return Running(
        f"id-{container}", entry.project, container, 1, name, "running", "healthy", content, addresses=addresses
    )


def lines(root: Path, *running: Running, service: str = "wiki") -> list[str]:
    plan = make_plan(collective.read(root)[0], Observed(running), frozenset((service,)))
    return [line.strip() for line in make_text(plan)]


def move(root: Path) -> None:
    edit(root, FILE, "10.60.10.0/24", "10.60.30.0/24")


def test_a_network_with_another_subnet_is_made_again(root: Path) -> None:
    """The files and the containers' hash agree: a deploy before this one changed all but the network."""
    move(root)
    assert lines(root, seen(root, "wiki", "webserver", "10.60.10.2")) == [
        "wiki",
        "webserver: the network darkpeak-wiki_default moves to 10.60.30.0/24",
        "1. stop its containers, and remove the network darkpeak-wiki_default, which has another subnet in the files",
        "2. recreate its containers and wait until healthy",
    ]


def test_a_change_with_a_new_subnet_is_not_deployed_side_by_side(root: Path) -> None:
    move(root)
    shown = lines(root, seen(root, "wiki", "webserver", "10.60.10.2", content="old"))
    assert shown[1:4] == [
        "webserver: its files have changed",
        "1. build webserver",
        "2. stop its containers, and remove the network darkpeak-wiki_default, which has another subnet in the files",
    ]
    assert shown[4].startswith("3. start its containers and wait until healthy; if that fails, start the version")


def test_others_join_a_network_that_was_made_again(root: Path) -> None:
    edit(root, "services/directory/docker-compose.yml", "10.60.20.0/24", "10.60.40.0/24")
    slapd = seen(root, "directory", "slapd", "10.60.20.2")
    web = seen(root, "wiki", "webserver", "10.60.20.3")
    assert lines(root, slapd, web, service="directory")[2:] == [
        "1. stop its containers, and remove the network darkpeak-directory, which has another subnet in the files",
        "2. recreate its containers and wait until healthy",
        "3. connect webserver to darkpeak-directory again",
    ]


@pytest.mark.parametrize("address", ["10.60.10.2", "10.60.10.254"])
def test_a_network_with_the_same_subnet_stays(root: Path, address: str) -> None:
    assert lines(root, seen(root, "wiki", "webserver", address)) == ["nothing to do: wiki"]


def volumes(root: Path, *names: str) -> list[str]:
    """Return what the plan says of volumes when the project has these on the engine, and its files have changed."""
    files = collective.read(root)[0]
    labels = {name: {PROJECT: "darkpeak-wiki", KEY: name.rpartition("_")[2]} for name in names}
    plan = make_plan(files, Observed((seen(root, "wiki", "webserver", "", content="old"),)), frozenset(("wiki",)))
    made = with_volumes(plan, files, {**labels, "another": {PROJECT: "another", KEY: "data"}, "own": {}})
    return [line.strip() for line in make_text(made) if "volume" in line]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (("darkpeak-wiki_data",), []),
        (
            ("darkpeak-wiki_pages",),
            [
                "makes the new volume darkpeak-wiki_data, which is empty",
                "leaves the volume darkpeak-wiki_pages behind, with its data",
                "to copy the data into the new volume: darkpeak rename wiki --volume pages=data",
            ],
        ),
        (("darkpeak-wiki_data", "darkpeak-wiki_old"), ["leaves the volume darkpeak-wiki_old behind, with its data"]),
        ((), []),
        (
            ("darkpeak-own_data",),
            [
                "makes the new volume darkpeak-wiki_data, which is empty",
                "leaves the volume darkpeak-own_data behind, with its data",
            ],
        ),
    ],
    ids=["the same", "renamed", "one left", "a first deploy", "the same key"],
)
def test_volumes_that_are_made_or_left_are_named(root: Path, before: tuple[str, ...], said: list[str]) -> None:
    assert volumes(root, *before) == said


def conflicts(files: Collective, *running: Running, networks: tuple[Network, ...] = ()) -> list[str]:
    wiki = [item for item in files.services if item.name == "wiki"]
    return [f"{item.at}: {item.what}; {item.hint}" for item in find_conflicts(files, wiki, Observed(running), networks)]


def other(project: str, *ports: int, state: str = "running") -> Running:
    return Running("x", project, "web", 1, f"{project}-web-1", state, ports=tuple((80, port) for port in ports))


OLD = "docker compose -p darkpeak-vol down (its volumes stay)"
BACK = "write the old name again, then use darkpeak rename"
RENAMED = f"if that is wiki under its old name, {BACK}; otherwise remove it: {OLD}"
DIRECTORY = "give wiki or directory another block; if directory just left this one, deploy it first"


@pytest.mark.parametrize(
    ("running", "networks", "found"),
    [
        ((), (), []),
        ((), (Network("darkpeak-wiki_default", "darkpeak-wiki", ("10.60.10.0/24",)),), []),
        (
            (),
            (Network("darkpeak-vol_default", "darkpeak-vol", ("10.60.10.0/24",)),),
            [
                (
                    f"{FILE}:18: the subnet 10.60.10.0/24 overlaps with 10.60.10.0/24 of the network "
                    f"darkpeak-vol_default (project darkpeak-vol); {RENAMED}"
                )
            ],
        ),
        (
            (),
            (Network("wide", "", ("10.60.0.0/16", "fd00::/64")),),
            [
                (
                    f"{FILE}:18: the subnet 10.60.10.0/24 overlaps with 10.60.0.0/16 of the network wide; "
                    "it was not made by compose; see more: darkpeak doctor"
                )
            ],
        ),
        (
            (other("darkpeak-directory", 6010, 6011),),
            (),
            [
                (
                    f"{FILE}:13: the port 6010 of 6010-6011 is used by the container darkpeak-directory-web-1 "
                    f"(project darkpeak-directory); {DIRECTORY}"
                )
            ],
        ),
        ((other("darkpeak-vol", 6010),), (), []),
        ((other("darkpeak-vol", 6010, 6011, state="exited"),), (), []),
        ((other("darkpeak-wiki", 6010, 6011),), (), []),
    ],
    ids=[
        "none",
        "its own network",
        "the project's old name",
        "a network of nobody",
        "both ports",
        "one of two ports",
        "a stopped container",
        "its own containers",
    ],
)
def test_what_another_project_has_is_found_before_anything_is_touched(
    root: Path, running: tuple[Running, ...], networks: tuple[Network, ...], found: list[str]
) -> None:
    assert conflicts(collective.read(root)[0], *running, networks=networks) == found
