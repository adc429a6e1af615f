"""The wiki: a page with its revisions, an uploaded file, and an access rule that an admin made in the browser."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.live.browser import Browser
from tests.live.facts import directory
from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PAGE = "garden:spring"
TEXTS = ("Sow the peas.", "Sow the peas, and the büans ✿.")
FILE = "garden:plan.png"
UPLOADED = bytes.fromhex("89504e470d0a1a0a") + bytes(range(256)) * 64
HIDDEN = "board:minutes"


def write(collective: Collective) -> tuple[str, ...]:
    directory.write(collective)
    ada = at(collective)
    assert ada.logs_in("ada", directory.MEMBERS["ada"])
    for text in TEXTS:
        ada.save(PAGE, text)
        time.sleep(1.1)  # DokuWiki identifies revisions by the second
    ada.upload(FILE, UPLOADED)
    ada.save(HIDDEN, "for members alone")
    ada.forbid(HIDDEN)
    return TEXTS


def check(collective: Collective, written: tuple[str, ...]) -> None:
    anyone = at(collective)
    assert anyone.page(PAGE) == written[-1]
    assert anyone.revisions(PAGE)[0] == written[0]
    assert anyone.media(FILE) == UPLOADED
    assert "members alone" not in anyone.page(HIDDEN)
    assert not at(collective).logs_in("ada", "not hers")
    grace = at(collective)
    assert grace.logs_in("grace", directory.MEMBERS["grace"])
    assert grace.page(HIDDEN) == "for members alone"


def at(collective: Collective) -> Browser:
    """Return a new browser that uses the wiki's own port, without the router."""
    return Browser("http://" + collective.compose("wiki", "port", "webserver", "80").stdout.strip())


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Write pages all the time, as a member does."""
    ada = at(collective)
    assert ada.logs_in("ada", directory.MEMBERS["ada"])

    def write_page(number: int) -> str:
        ada.save(f"diary:day{number}", f"Day {number}.")
        return str(number)

    with under(write_page) as load:
        yield load


def found(collective: Collective) -> set[str]:
    """Return the days whose page is as it was written."""
    anyone, days = at(collective), set[str]()
    while anyone.page(f"diary:day{len(days)}") == f"Day {len(days)}.":
        days.add(str(len(days)))
    return days
