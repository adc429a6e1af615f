"""Hosts: which service runs on which host, what --host means, and the compose file for one host."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective import Collective
from darkpeak.collective.hosts import find_host, peers_of, place, uri_of
from darkpeak.engine.compose import make_compose
from darkpeak.errors import UsageError
from tests.making import DIRECTORY, write_collective, write_service

HOSTS = """
[hosts.server]
docker = "ssh://ops@server"
services = ["mail"]

[hosts.vagrant]
docker = "tcp://localhost:4243"
"""
VARIANT = "services: {webserver: {environment: {COLOUR: red}}}\n"
IDEA = "x-darkpeak: {about: A game, admins: [ada], kind: user, level: idea}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a collective with a service that is assigned to a host, a router, and an idea."""
    write_collective(tmp_path)
    with (tmp_path / "collective.toml").open("a") as file:
        file.write(HOSTS)
    write_service(tmp_path, "mail", DIRECTORY.replace("directory", "mail").replace("20", "70"), "slapd")
    write_service(tmp_path, "router", DIRECTORY.replace("directory", "router").replace("20", "00"), "slapd")
    (tmp_path / "services/game").mkdir()
    (tmp_path / "services/game/docker-compose.yml").write_text(IDEA)
    return tmp_path


def placed(files: Collective, *names: str) -> list[tuple[str, list[str]]]:
    services = [service for service in files.services if service.name in names or not names]
    return [
        (group.host.name if group.host else "", [service.name for service in group.services])
        for group in place(files, services)
    ]


def test_each_service_is_on_its_host_and_a_router_on_every_host(root: Path) -> None:
    files, findings = collective.read(root)
    assert findings == []
    assert placed(files) == [("", ["directory", "game", "router", "wiki"]), ("server", ["mail", "router"])]


@pytest.mark.parametrize(
    ("names", "where"),
    [
        (("wiki",), [("", ["wiki"])]),
        (("mail",), [("server", ["mail"])]),
        (("mail", "wiki"), [("", ["wiki"]), ("server", ["mail"])]),
        (("router",), [("", ["router"]), ("server", ["router"])]),
        (("game",), [("", ["game"])]),
    ],
    ids=["unplaced", "placed", "both", "router", "idea"],
)
def test_named_services_on_their_hosts(root: Path, names: tuple[str, ...], where: list[tuple[str, list[str]]]) -> None:
    assert placed(collective.read(root)[0], *names) == where


def test_the_default_daemon_is_not_used_if_all_services_have_a_host(root: Path) -> None:
    text = (root / "collective.toml").read_text()
    (root / "collective.toml").write_text(text.replace('["mail"]', '["mail", "wiki", "directory"]'))
    everything = [("server", ["directory", "game", "mail", "router", "wiki"])]
    assert placed(collective.read(root)[0]) == everything


def test_without_hosts_every_service_is_on_the_default_daemon(tmp_path: Path) -> None:
    assert placed(collective.read(write_collective(tmp_path))[0]) == [("", ["directory", "wiki"])]


def test_a_host_is_found_by_its_name_or_uri(root: Path) -> None:
    hosts = collective.read(root)[0].hosts
    assert [host.name for host in (find_host(hosts, "vagrant"), find_host(hosts, "tcp://localhost:4243")) if host] == [
        "vagrant",
        "vagrant",
    ]
    assert uri_of(hosts, "server") == "ssh://ops@server"
    assert uri_of(hosts, "unix:///other.sock") == "unix:///other.sock"
    with pytest.raises(UsageError, match="there is no host serve"):
        uri_of(hosts, "serve")


def test_a_host_has_a_second_compose_file(root: Path) -> None:
    (root / "services/wiki/docker-compose.vagrant.yml").write_text(VARIANT)
    files, findings = collective.read(root)
    assert findings == []
    here, there = (next(item for item in some.services if item.name == "wiki") for some in (files, files.on("vagrant")))
    folder = root / "services/wiki"
    written = ("--file", str(folder / "docker-compose.yml"))
    assert make_compose(here, "up")[-3:] == (*written, "up")
    assert make_compose(there, "up")[-5:] == (*written, "--file", str(folder / "docker-compose.vagrant.yml"), "up")
    assert here.containers[0].content != there.containers[0].content
    assert there.containers[0].parts[:-1] == here.containers[0].parts
    assert files.on("server") == replace(files, here="server")


def test_the_second_compose_file_changes_the_content_hash(root: Path) -> None:
    def content() -> str:
        files = collective.read(root)[0].on("vagrant")
        return next(item for item in files.services if item.name == "wiki").containers[0].content

    path = root / "services/wiki/docker-compose.vagrant.yml"
    contents = {content()}
    for text in (VARIANT, VARIANT.replace("red", "blue"), "services: {}\n"):
        path.write_text(text)
        contents.add(content())
    assert len(contents) == 3


def with_keys(root: Path, **keys: str) -> Collective:
    """Return the collective with more keys of its hosts, and what places the rest on the host north."""
    text = (root / "collective.toml").read_text()
    north = '[hosts.north]\ndocker = "ssh://ops@north"\nservices = ["wiki", "directory"]\n'
    text = text.replace("[hosts.server]\n", f"{north}{keys.get('north', '')}\n[hosts.server]\n{keys.get('server', '')}")
    (root / "collective.toml").write_text(text)
    files, findings = collective.read(root)
    assert findings == []
    return files


def test_the_host_with_the_key_of_the_ca_is_the_first_and_keeps_its_router(root: Path) -> None:
    assert [host for host, _ in placed(with_keys(root))] == ["north", "server"]
    text = (root / "collective.toml").read_text().replace('services = ["mail"]', "services = []\nca = true")
    (root / "collective.toml").write_text(text)
    assert placed(collective.read(root)[0])[:2] == [("server", ["game", "router"]), ("", ["mail", "router"])]


def test_hosts_with_an_address_are_peers_if_there_are_two(root: Path) -> None:
    at = 'address = "192.0.2.7"\n'
    assert peers_of(with_keys(root, server=at)) == {}
    text = (root / "collective.toml").read_text()
    (root / "collective.toml").write_text(text.replace("[hosts.north]\n", '[hosts.north]\naddress = "192.0.2.8"\n'))
    assert peers_of(collective.read(root)[0]) == {"north": "192.0.2.8", "server": "192.0.2.7"}


@pytest.mark.parametrize("line", ['address = "server"', "address = 7", 'ca = "yes"'])
def test_an_address_is_an_address_and_ca_is_true_or_false(root: Path, line: str) -> None:
    text = (root / "collective.toml").read_text()
    (root / "collective.toml").write_text(text.replace("[hosts.server]\n", f"[hosts.server]\n{line}\n"))
    assert [finding.rule for finding in collective.read(root)[1]] == ["wrong-type"]
