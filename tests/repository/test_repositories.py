"""The repositories of a session: which can be used, and their snapshots."""

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from darkpeak.actions.recover import recover_all
from darkpeak.actions.session import Session
from darkpeak.errors import SystemFailure
from darkpeak.repository.repositories import Repositories
from darkpeak.repository.snapshots import Snapshot

if TYPE_CHECKING:
    from darkpeak.repository.restic import ResticRepository


@dataclass
class Fake:
    """A repository that answers as a test says, and when the test lets it."""

    number: int
    fails: str = ""
    may: Event = field(default_factory=Event)
    asked: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Wait until the test lets it answer; then succeed or fail."""
        self.may.wait(10)
        self.asked.append("open")
        if self.fails:
            raise SystemFailure(self.fails)

    def list_snapshots(self) -> list[Snapshot]:
        """Return its only snapshot."""
        self.asked.append("list")
        return [known(f"{self.number}")]


def known(snapshot: str) -> Snapshot:
    """Return a snapshot."""
    return Snapshot("wiki", "", 1, "backup", "2026-01-01T00:00:00+00:00", snapshot, "nas")


def make(*repositories: Fake) -> Repositories:
    """Return the repositories of a session, which may answer now."""
    found = Repositories(cast("list[ResticRepository]", list(repositories)))
    for item in repositories:
        item.may.set()
    return found


def test_a_repository_that_cannot_be_used_is_reported_and_left_out() -> None:
    good, bad = Fake(0), Fake(1, "the nas is off")
    found = make(bad, good)
    assert [one.number for one in found.usable()] == [0]
    assert [error.message for error in found.unusable()] == ["the nas is off"]
    assert found.snapshots() == [known("0")]
    assert bad.asked == ["open"]


def test_if_no_repository_can_be_used_the_first_error_is_raised() -> None:
    found = make(Fake(0, "the nas is off"), Fake(1, "no such host"))
    for ask in (found.usable, found.snapshots):
        with pytest.raises(SystemFailure, match="the nas is off"):
            ask()


def test_repositories_are_opened_in_the_background() -> None:
    slow = Fake(0)
    found = Repositories(cast("list[ResticRepository]", [slow]))
    assert slow.asked == []
    slow.may.set()
    assert [one.number for one in found.usable()] == [0]


def test_own_changes_are_known_without_listing_again() -> None:
    store = Fake(0)
    found = make(store)
    found.add(known("new"))
    found.remove(["0"])
    assert found.snapshots() == [known("new")]
    assert store.asked == ["open", "list"]


def test_restore_all_does_not_begin_if_no_repository_can_be_used() -> None:
    nothing = cast("Any", None)  # nothing else is used
    session = Session(nothing, nothing, nothing, make(Fake(0, "the nas is off")))
    with pytest.raises(SystemFailure, match="the nas is off"):
        next(recover_all(session))
