"""Which service is drilled tonight, and in which order services are upgraded."""

from pathlib import Path

import pytest

from darkpeak.actions.night import drill_order, upgrade_order
from darkpeak.collective.model import Collective, Place, Service, Shared
from darkpeak.evidence.drills import DrillRecord, DrillTurnRecord


def record(service: str, when: str) -> DrillRecord:
    return DrillRecord(service, when, f"{service}-1", good=True)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([], "chat"),
        ([record("chat", "2026-06-02"), record("wiki", "2026-06-01")], "wiki"),
        ([record("chat", "2026-06-01")], "wiki"),
        ([record("chat", "2027-06-02"), record("wiki", "2026-06-03")], "chat"),
        ([record("gone", "2026-01-01"), record("chat", "2026-06-01"), record("wiki", "2026-06-02")], "chat"),
    ],
    ids=["none yet", "the oldest", "the one without", "a clock was ahead", "not one that is gone"],
)
def test_the_service_with_the_oldest_drill_is_next(found: list[DrillRecord], name: str) -> None:
    assert drill_order(found, ["chat", "wiki"], "2026-06-30")[0] == name


def test_a_service_that_could_not_be_drilled_waits_for_all_others() -> None:
    drills = [record("chat", "2026-06-10"), record("git", "2026-06-11")]
    names, at = ["chat", "git", "wiki"], "2026-06-30"
    assert drill_order(drills, names, at) == ["wiki", "chat", "git"]
    turn = DrillTurnRecord("wiki", "2026-06-12", "", good=False)
    assert drill_order([*drills, turn], names, at) == ["chat", "git", "wiki"]
    later = [record("chat", "2026-06-13"), record("git", "2026-06-14"), turn]
    assert drill_order(later, names, at) == ["wiki", "chat", "git"]


def test_a_service_is_upgraded_after_those_that_it_depends_on() -> None:
    """Also if services depend on one another, which lint finds."""
    at = Place("x", 1)

    def service(name: str, *needs: str) -> Service:
        own = Shared(name, external=False, at=at)
        return Service(name, Path(), at, networks=(own, *(Shared(other, external=True, at=at) for other in needs)))

    services = (service("account", "directory"), service("chat", "account"), service("directory"), service("git"))
    loop = (service("a", "b"), service("b", "a"))
    collective = Collective(Path(), "Peak", "localhost", services=(*services, *loop))
    names = [item.name for item in upgrade_order(collective, collective.services)]
    assert names == ["directory", "account", "chat", "git", "b", "a"]
    assert upgrade_order(collective, services[:2]) == list(services[:2])
