"""A compose file after a move to another block, and after a new name: only that has changed."""

from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.collective.moved import with_block, with_name
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.errors import UsageError
from darkpeak.life.rename import move
from tests.making import edit, without_notes, write_collective

FILE = "services/wiki/docker-compose.yml"
ROUTES = """\
  routes:   # 6010 first
    http: {wiki: 6010, docs: 6012}
    tcp: {"5222": 6014}
    tls: 6015
    proxy: [6014]
"""
PORTS = """\
    ports:
      - "127.0.0.1:6010-6011:6010"   # the container's own port 6010 stays
      - 127.0.0.1:6014:5222
      - {target: 443, published: "6015", host_ip: 127.0.0.1}
      - target: 6012
        published: 6012-6013
        host_ip: 127.0.0.1
    environment: {LIMIT: "6010"}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_collective(tmp_path)
    edit(tmp_path, FILE, "  routes:\n    http: 6010\n", ROUTES)
    edit(tmp_path, FILE, '    ports: ["127.0.0.1:6010-6011:80"]\n', PORTS)
    edit(
        tmp_path,
        FILE,
        "networks: [default, directory]",
        "networks: {default: {ipv4_address: 10.60.10.9}, directory: {}}",
    )
    edit(tmp_path, "services/wiki/webserver/Dockerfile", "EXPOSE 80", "EXPOSE 6010 5222 443 6012")
    return tmp_path


def target(root: Path) -> Target:
    files = collective.read(root)[0]
    return Target(files, Engine("unix:///nowhere"), tuple(item for item in files.services if item.name == "wiki"))


def test_a_move_changes_the_block_the_ports_the_routes_and_the_subnet_and_nothing_else(root: Path) -> None:
    before = (root / FILE).read_text().splitlines()
    assert without_notes(lint.check(collective.read(root)[0])) == []
    move(target(root), 6150)
    after = (root / FILE).read_text().splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("  block: 6010", "  block: 6150"),
        ("    http: {wiki: 6010, docs: 6012}", "    http: {wiki: 6150, docs: 6152}"),
        ('    tcp: {"5222": 6014}', '    tcp: {"5222": 6154}'),
        ("    tls: 6015", "    tls: 6155"),
        ("    proxy: [6014]", "    proxy: [6154]"),
        (
            '      - "127.0.0.1:6010-6011:6010"   # the container\'s own port 6010 stays',
            '      - "127.0.0.1:6150-6151:6010"   # the container\'s own port 6010 stays',
        ),
        ("      - 127.0.0.1:6014:5222", "      - 127.0.0.1:6154:5222"),
        (
            '      - {target: 443, published: "6015", host_ip: 127.0.0.1}',
            '      - {target: 443, published: "6155", host_ip: 127.0.0.1}',
        ),
        ("        published: 6012-6013", "        published: 6152-6153"),
        (
            "    networks: {default: {ipv4_address: 10.60.10.9}, directory: {}}",
            "    networks: {default: {ipv4_address: 10.61.50.9}, directory: {}}",
        ),
        (
            "  default: {ipam: {config: [{subnet: 10.60.10.0/24}]}}",
            "  default: {ipam: {config: [{subnet: 10.61.50.0/24}]}}",
        ),
    ]
    assert without_notes(lint.check(collective.read(root)[0])) == []


def test_a_move_there_and_back_changes_nothing(root: Path) -> None:
    text = (root / FILE).read_text()
    move(target(root), 6990)
    move(target(root), 6010)
    assert (root / FILE).read_text() == text


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (6020, "block 6020 already belongs to directory"),
        (6015, "there is no block 6015"),
        (6000, "there is no block 6000"),
        (7000, "there is no block 7000"),
        (6010, "block 6010 already belongs to wiki"),
    ],
)
def test_a_move_to_no_free_block_is_refused(root: Path, block: int, said: str) -> None:
    text = (root / FILE).read_text()
    with pytest.raises(UsageError, match=said):
        move(target(root), block)
    assert (root / FILE).read_text() == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: darkpeak-wiki   # ours\nx: darkpeak-wiki\n", "name: darkpeak-book   # ours\nx: darkpeak-wiki\n"),
        ("name: 'darkpeak-wiki'\n", "name: 'darkpeak-book'\n"),
        ("name:  darkpeak-wikis\n", "name:  darkpeak-wikis\n"),
        ("services:\n  name: darkpeak-wiki\n", "services:\n  name: darkpeak-wiki\n"),
    ],
    ids=["with a comment", "in quotes", "another name", "another key"],
)
def test_a_new_name_changes_only_the_project(text: str, expected: str) -> None:
    assert with_name(text, "darkpeak-wiki", "darkpeak-book") == expected


def test_a_service_without_routes_moves_too(root: Path) -> None:
    files = collective.read(root)[0]
    directory = next(item for item in files.services if item.name == "directory")
    text = (root / "services/directory/docker-compose.yml").read_text()
    moved = with_block(text, directory, 6040)
    assert moved == text.replace("6020", "6040").replace("10.60.20.", "10.60.40.")
