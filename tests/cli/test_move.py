"""`darkpeak move` to a host: what is refused before any engine is touched."""

from pathlib import Path

import pytest

from tests.cli.test_commands import darkpeak
from tests.making import write_collective

HOSTS = """
[hosts.north]
docker = "unix:///nonexistent/north.sock"
services = ["wiki", "directory"]

[hosts.south]
docker = "unix:///nonexistent/south.sock"
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("wiki",), 2, "give the host, or only --finish"),
        (("wiki", "south", "--finish"), 2, "give the host, or only --finish"),
        (("wiki", "--finish", "--from-backup"), 2, "give the host, or only --finish"),
        (("wiki", "south", "--host", "north"), 2, "give the host, or only --finish"),
        (("wiki", "west"), 2, "there is no host west"),
        (("wiki", "6030", "--finish"), 2, "has no --finish"),
        (("wiki", "north", "--from-backup"), 2, "it lives on north already"),
        (("wiki", "--finish"), 2, "nothing was removed"),
        (("wiki", "south"), 3, "north, where wiki lives, does not answer"),
    ],
)
def test_a_move_that_cannot_begin_says_why(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    root = write_collective(tmp_path)
    with (root / "collective.toml").open("a") as file:
        file.write(HOSTS)
    before = (root / "collective.toml").read_text()
    done = darkpeak(root, "move", *arguments)
    assert said in done.stderr
    assert done.returncode == code
    assert (root / "collective.toml").read_text() == before
