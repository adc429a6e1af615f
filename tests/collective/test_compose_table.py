"""The table of docs/service.md that says what of compose works: each key of the specification has one row."""

import re
from pathlib import Path

from tests.collective.compose_keys import ALL

TOP = Path(__file__).parents[2]
TABLE = (TOP / "docs/service.md").read_text().partition("## What of compose works\n")[2]
ROWS = [line.split("|")[1:3] for line in TABLE.splitlines() if line.startswith("| `")]


def test_each_key_of_the_specification_has_one_row() -> None:
    listed = [key for keys, _ in ROWS for key in re.findall(r"`([^`]+)`", keys)]
    assert sorted(listed) == sorted(ALL)


def test_each_rule_of_the_table_exists() -> None:
    source = "".join(path.read_text() for path in (TOP / "src/darkpeak/lint").glob("*.py"))
    named = {rule for _, text in ROWS for found in re.findall(r"\[([a-z, -]+)\]", text) for rule in found.split(", ")}
    assert {rule for rule in named if f'"{rule}"' not in source} == set()
    assert len(named) > len(ROWS) / 3
