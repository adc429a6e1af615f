"""Whose engine it is: by the id, or without one by name and domain; and the id that the first `up` writes."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.identity import with_id
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
    "text",
    [
        'name = "Test"\ndomain = "localhost"\n\n[admins.ada]\n',
        'domain = "localhost" # no DNS\r\nname = "Test"\r\n[hosts.one]\ndomain = "x"\n',
        'name = "Test"\ndomain = "localhost"',
    ],
    ids=["tables follow", "a comment and CRLF", "no line ending"],
)
def test_an_id_is_added_to_the_file_and_read_back(text: str, tmp_path: Path) -> None:
    write_collective(tmp_path)
    (tmp_path / "collective.toml").write_text(with_id(text, "aaaa"))
    found, _ = collective.read(tmp_path)
    assert (found.id, found.name, found.domain) == ("aaaa", "Test", "localhost")
    kept = [line for line in with_id(text, "aaaa").splitlines() if not line.startswith("id = ")]
    assert kept == text.splitlines()


def test_an_id_that_is_not_text_is_a_finding(tmp_path: Path) -> None:
    write_collective(tmp_path)
    edit(tmp_path, "collective.toml", 'domain = "localhost"', 'domain = "localhost"\nid = 7')
    _, findings = collective.read(tmp_path)
    assert [(str(item.at), item.what) for item in findings] == [("collective.toml:3", "id must be text in quotes")]


def test_the_catalogue_has_no_id_so_that_no_copy_of_it_shares_one() -> None:
    assert collective.read(TOP)[0].id == ""
