"""Free blocks: what a new service gets meets nothing that the files use."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.plan.blocks import free_blocks
from tests.making import edit, write_collective

WIKI = "services/wiki/docker-compose.yml"


def first(root: Path) -> list[int]:
    return [item.block for item in free_blocks(collective.read(root)[0])[:3]]


def test_the_lowest_free_blocks_come_first_with_their_ports_and_subnet(tmp_path: Path) -> None:
    found = free_blocks(collective.read(write_collective(tmp_path))[0])
    assert [(str(item), item.ports, item.subnet) for item in found[:2]] == [
        ("6030", "6030-6039", "10.60.30.0/24"),
        ("6040", "6040-6049", "10.60.40.0/24"),
    ]
    assert [item.block for item in found] == sorted({*range(6030, 7000, 10)})


@pytest.mark.parametrize(
    ("old", "new", "free"),
    [
        ("block: 6010", "block: 6030", [6040, 6050, 6060]),
        ("127.0.0.1:6010-6011:80", "127.0.0.1:6039-6040:80", [6050, 6060, 6070]),
        ("10.60.10.0/24", "10.60.30.128/25", [6040, 6050, 6060]),
        ("10.60.10.0/24", "10.60.0.0/16", [6100, 6110, 6120]),
        ("http: 6010", 'tcp: {"6031": 6010}', [6040, 6050, 6060]),
    ],
    ids=["a block", "ports outside a block", "half a subnet", "a large subnet", "a public port"],
)
def test_what_the_files_use_is_not_free(tmp_path: Path, old: str, new: str, free: list[int]) -> None:
    edit(write_collective(tmp_path), WIKI, old, new)
    assert first(tmp_path) == free
