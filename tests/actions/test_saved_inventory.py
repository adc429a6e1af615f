"""What ran when a snapshot was made, as the text that is saved with it."""

import json

import pytest

from darkpeak.actions.inventory import Inventory
from darkpeak.actions.saved_inventory import parse, write
from darkpeak.actions.updates import Unknown
from darkpeak.errors import CheckFailed
from darkpeak.packages.listed import Item, Kind, Listed

FOUND = Inventory(
    (
        Item("wiki", "webserver", "libc6:i386", "2.41-12", "i386", "glibc"),
        Item("wiki", "webserver", "@arr/every", "1.0.1", "", "", Kind.NPM),
    ),
    (Listed("wiki", "webserver", f"sha256:{'0' * 64}", "debian-13", "amd64"),),
    (Unknown("wiki", "old", "it does not run"),),
)


def test_an_inventory_is_read_back_unchanged_also_under_another_name_of_the_service() -> None:
    text = write(FOUND)
    assert parse(text.encode(), "wiki") == FOUND
    assert "wiki" not in text
    assert parse(text.encode(), "pages").packages[0].service == "pages"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", json.dumps({"containers": [], "packages": [["a"]], "unknown": []}), write(FOUND)[:-9]],
)
def test_a_damaged_inventory_is_refused(text: str) -> None:
    with pytest.raises(CheckFailed, match="cannot be read"):
        parse(text.encode(), "wiki")
