"""Whose engine it is: by the id, or without one by name and domain; and the id that the first `up` writes."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.identity import WHY, with_id
from darkpeak.collective.model import Collective
from darkpeak.evidence.owners import OwnerRecord, is_ours
from tests.making import edit, write_collective

TOP = Path(__file__).parent.parent.parent
KNOWN = OwnerRecord("aaaa", "2026-06-01T00:00:00+00:00", "Village", "village.test")


@pytest.mark.parametrize(
    ("own", "name", "domain", "ours"),
    [
        pytest.param("aaaa", "Village", "village.test", True, id="the same"),
        pytest.param("aaaa", "Renamed", "renamed.test", True, id="renamed, with a new domain"),
        pytest.param("bbbb", "Village", "village.test", False, id="a copy that had an up of its own"),
        pytest.param("", "Village", "village.test", True, id="the id was not committed"),
        pytest.param("", "Town", "village.test", False, id="a copy with another name"),
        pytest.param("", "Village", "town.test", False, id="a copy with another domain"),
    ],
)
def test_an_engine_is_ours_by_its_id(own: str, name: str, domain: str, ours: bool) -> None:  # noqa: FBT001
    assert is_ours(Collective(Path(), name, domain, id=own), KNOWN) is ours


@pytest.mark.parametrize(
    ("text", "right"),
    [
        pytest.param('name = "T"\ndomain = "d"\n[x]\n', 'name = "T"\ndomain = "d"\nID\n[x]\n', id="tables follow"),
        pytest.param('domain = "d" # no\r\nname = "T"\r\n', 'domain = "d" # no\r\nID\nname = "T"\r\n', id="CRLF"),
        pytest.param('name = "T"\ndomain = "d"', 'name = "T"\ndomain = "d"\nID\n', id="no line ending"),
        pytest.param('id = ""\nname = "T"\ndomain = "d"\n', 'ID\nname = "T"\ndomain = "d"\n', id="an empty one"),
        pytest.param('domain = "d"\n[x]\nid = ""\n', 'domain = "d"\nID\n[x]\nid = ""\n', id="one of a table"),
    ],
)
def test_an_id_is_added_to_the_file(text: str, right: str) -> None:
    made = with_id(text, "aaaa")
    assert made == right.replace("ID", f'id = "aaaa" # {WHY}')
    assert tomllib.loads(made)["id"] == "aaaa"


def test_an_id_that_is_not_text_is_a_finding(tmp_path: Path) -> None:
    write_collective(tmp_path)
    edit(tmp_path, "collective.toml", 'domain = "localhost"', 'domain = "localhost"\nid = 7')
    _, findings = collective.read(tmp_path)
    assert [(str(item.at), item.what) for item in findings] == [("collective.toml:3", "id must be text in quotes")]


def test_the_catalogue_has_no_id_so_that_no_copy_of_it_shares_one() -> None:
    """In git: bin/demo writes one into the checkout."""
    git = ["git", "-C", str(TOP), "show", "HEAD:collective.toml"]
    shipped = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    assert "id" not in tomllib.loads(shipped)
