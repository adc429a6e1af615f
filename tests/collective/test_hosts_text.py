"""The services and nodes of hosts are written into collective.toml, and its comments stay."""

import tomllib

import pytest

from darkpeak.collective.hosts_text import with_home, with_nodes

TEXT = """\
name = "x"  # ours

[hosts.cluster]
docker = "ssh://a"
swarm = true  # three machines

[hosts.other]
docker = "ssh://x"
"""
ONE = TEXT.replace("machines\n", 'machines\nnodes = ["ssh://b"]\n')


@pytest.mark.parametrize(
    ("before", "nodes", "after"),
    [
        (TEXT, ("ssh://b",), ONE),
        (ONE, ("ssh://b", "ssh://c"), ONE.replace('"ssh://b"', '"ssh://b", "ssh://c"')),
        (ONE, (), TEXT),
        (
            '[hosts.cluster]\ndocker = "ssh://a"',
            ("ssh://b",),
            '[hosts.cluster]\ndocker = "ssh://a"\nnodes = ["ssh://b"]\n',
        ),
        (
            '[hosts]\ncluster = {docker = "ssh://a"}\n',
            ("ssh://b",),
            '[hosts]\ncluster = {docker = "ssh://a",nodes = ["ssh://b"]}\n',
        ),
    ],
    ids=["the first", "another", "none", "no line break", "in one line"],
)
def test_nodes_are_written(before: str, nodes: tuple[str, ...], after: str) -> None:
    assert with_nodes(before, "cluster", nodes) == after


HOSTS = """\
name = "Village" # ours

[hosts.home]
docker = "ssh://ops@home"   # in the cellar
services = ["wiki", 'chat']  # these

[hosts.far]
docker = "ssh://ops@far"

[backup]
repositories = []
"""


@pytest.mark.parametrize(
    ("service", "host", "before", "after"),
    [
        ("wiki", "far", "[\"wiki\", 'chat']", "['chat']"),
        ("chat", "far", "[\"wiki\", 'chat']", '["wiki"]'),
    ],
)
def test_a_service_is_assigned_to_another_host_and_back(service: str, host: str, before: str, after: str) -> None:
    moved = with_home(HOSTS, service, host)
    far = f'docker = "ssh://ops@far"\nservices = ["{service}"]\n'
    assert moved == HOSTS.replace(before, after).replace('docker = "ssh://ops@far"\n', far)
    back = with_home(moved, service, "home")
    homes = {name: sorted(host.get("services", [])) for name, host in tomllib.loads(back)["hosts"].items()}
    assert homes == {"home": ["chat", "wiki"], "far": []}


def test_a_list_over_several_lines_stays_one() -> None:
    text = HOSTS.replace("[\"wiki\", 'chat']", '[\n  "wiki",\n  "chat",\n]')
    moved = with_home(text, "chat", "far")
    assert '[\n  "wiki"' in moved


@pytest.mark.parametrize(
    "text",
    [
        'hosts = {home = {docker = "unix:///a", services = ["wiki"]}, far = {docker = "unix:///b"}}\n',
        'hosts.home.docker = "a"\nhosts.home.services = ["wiki", # these\n]\nhosts.far.docker = "b"\n',
        HOSTS.replace("[hosts.far]", "[retention]\nkeep = {daily = 7}\n\n[hosts.far]"),
        HOSTS.replace("\n", "\r\n"),
        HOSTS.replace('"wiki"', '\n  # the ] members\n  "wiki"'),
    ],
    ids=["in one line", "dotted", "another table between", "lines of Windows", "a comment in the list"],
)
def test_hosts_can_be_written_in_other_ways(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(with_home(text, "wiki", "far"))
    assert after["hosts"]["far"].pop("services") == ["wiki"]
    before["hosts"]["home"]["services"].remove("wiki")
    assert after == before
