"""What a session knows of its repositories: which can be used, and their sets."""

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, cast

import pytest

from darkpeak.backup.listing import Listing
from darkpeak.backup.sets import KnownSet
from darkpeak.errors import SystemFailure

if TYPE_CHECKING:
    from darkpeak.backup.store import Store


@dataclass
class Repository:
    """One that answers as it is told to, once it may."""

    number: int
    fails: str = ""
    may: Event = field(default_factory=Event)
    asked: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Answer, or fail to."""
        self.may.wait()
        self.asked.append("open")
        if self.fails:
            raise SystemFailure(self.fails)

    def list_sets(self) -> list[KnownSet]:
        """Return its only set."""
        self.asked.append("list")
        return [known(f"{self.number}")]


def known(snapshot: str) -> KnownSet:
    """Return a set."""
    return KnownSet("wiki", "", 1, "backup", "2026-01-01T00:00:00+00:00", snapshot, "nas")


def make(*repositories: Repository) -> Listing:
    """Return the listing of repositories that answer from now on."""
    listing = Listing(cast("list[Store]", list(repositories)))
    for item in repositories:
        item.may.set()
    return listing


def test_one_that_cannot_be_used_is_told_and_left_out() -> None:
    good, bad = Repository(0), Repository(1, "the nas is off")
    listing = make(bad, good)
    assert [store.number for store in listing.stores()] == [0]
    assert [error.message for error in listing.absent()] == ["the nas is off"]
    assert listing.read() == [known("0")]
    assert bad.asked == ["open"]


def test_where_none_can_be_used_the_first_says_why() -> None:
    listing = make(Repository(0, "the nas is off"), Repository(1, "no such host"))
    for ask in (listing.stores, listing.read):
        with pytest.raises(SystemFailure, match="the nas is off"):
            ask()


def test_they_are_asked_while_other_work_goes_on() -> None:
    slow = Repository(0)
    listing = Listing(cast("list[Store]", [slow]))
    assert slow.asked == []  # and we are here
    slow.may.set()
    assert [store.number for store in listing.stores()] == [0]


def test_what_we_change_is_known_without_asking_again() -> None:
    store = Repository(0)
    listing = make(store)
    listing.add(known("new"))
    listing.remove(["0"])
    assert listing.read() == [known("new")]
    assert store.asked == ["open", "list"]
