"""Hosts that do not answer: what is asked of them, what is done on the others, and the line about each."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkpeak.collective.model import Collective, Place, Service
from darkpeak.deploy.hosts import connect, each
from darkpeak.deploy.target import Target, living
from darkpeak.engine.engine import Engine
from darkpeak.errors import CheckFailed, HostFailure, HostsFailed, SystemFailure, UsageError
from darkpeak.threads import at_once

FILES = Collective(Path("/nowhere"), "club", "localhost")


class Played(Engine):
    """An engine that answers, or does not."""

    def __init__(self, name: str, *, dead: bool = False) -> None:
        super().__init__(f"unix:///{name}")
        self.dead, self.asked = dead, 0

    def answer(self) -> None:
        """Answer, or fail."""
        self.asked += 1
        if self.failure or self.dead:
            raise self.failure or SystemFailure("nobody is there", hint="switch it on")


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the moments of answers in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def target(name: str, *, dead: bool = False) -> Target:
    service = Service(f"wiki-{name}", Path("/nowhere"), Place("x", 1), project="darkpeak-wiki")
    return Target(FILES, Played(name, dead=dead), (service,), name)


def test_a_dead_host_is_one_line_and_the_others_are_asked() -> None:
    failures: dict[str, HostFailure] = {}
    three = [target("a"), target("b", dead=True), target("c")]
    connect(three, failures)
    assert each(three, lambda one: [one.host], failures) == ["a", "c"]
    assert [str(item) for item in failures.values()] == ["host b (wiki-b) does not answer: nobody is there"]
    assert living(three) == [three[0], three[2]]
    error = HostsFailed(list(failures.values()))
    assert (error.exit_code, error.hint) == (3, "all else is done; switch it on")


def test_without_a_host_nothing_is_done_and_nothing_fails() -> None:
    """A collective that has no service yet has no host."""
    assert each([], lambda one: [one.host], {}) == []


def test_the_line_says_when_the_host_last_answered() -> None:
    connect([target("a"), target("b")], {})
    failures: dict[str, HostFailure] = {}
    connect([target("a"), target("b", dead=True)], failures)
    assert failures["b"].last_answer[:13] == time.strftime("%Y-%m-%dT%H", time.gmtime())
    assert f"last answered {time.strftime('%Y-%m-%d %H', time.gmtime())}" in str(failures["b"])


def test_a_dead_host_is_not_asked_twice_in_a_command() -> None:
    failures: dict[str, HostFailure] = {}
    connect([target("a"), target("b", dead=True)], failures)
    again = [target("a"), target("b", dead=True)]
    connect(again, failures)
    assert [one.engine.asked for one in again if isinstance(one.engine, Played)] == [1, 0]
    with pytest.raises(SystemFailure, match="host b"):
        _ = again[1].engine.api


@pytest.mark.parametrize("side_by_side", [False, True], ids=["one by one", "all at once"])
def test_a_host_that_dies_later_keeps_what_it_did_and_stops_no_other(*, side_by_side: bool) -> None:
    three, failures = [target("a"), target("b"), target("c")], dict[str, HostFailure]()
    connect(three, failures)

    def act(one: Target) -> Iterator[str]:
        yield f"{one.host} begun"
        if one.host == "b":
            assert isinstance(one.engine, Played)
            one.engine.dead = True
            raise SystemFailure("the stream ended")
        yield f"{one.host} done"

    found = each(three, act, failures, side_by_side=side_by_side)
    assert found == ["a begun", "a done", "b begun", "c begun", "c done"]
    assert [(item.host, item.answers, item.why) for item in failures.values()] == [("b", False, "nobody is there")]


def test_a_host_that_dies_while_its_last_service_fails_has_its_line_too() -> None:
    both, failures = [target("a"), target("b")], dict[str, HostFailure]()

    def act(one: Target) -> list[str]:
        assert isinstance(one.engine, Played)
        one.engine.dead = one.host == "b"
        return [f"{one.host}: not saved"]

    assert each(both, act, failures) == ["a: not saved", "b: not saved"]
    assert [str(item) for item in failures.values()] == ["host b (wiki-b) does not answer: nobody is there"]


def test_a_host_that_answers_but_fails_says_why() -> None:
    three, failures = [target("a"), target("b")], dict[str, HostFailure]()

    def act(one: Target) -> list[str]:
        if one.host == "b":
            raise SystemFailure("the router is not running")
        return [one.host]

    assert each(three, act, failures) == ["a"]
    assert [str(item) for item in failures.values()] == ["host b (wiki-b): the router is not running"]


def test_wrong_files_are_no_failure_of_a_host() -> None:
    def act(one: Target) -> list[str]:
        raise UsageError(f"wrong use of {one.host}")

    with pytest.raises(UsageError, match="of a"):
        each([target("a"), target("b")], act, {})


@pytest.mark.parametrize(("kind", "code"), [(SystemFailure, 3), (CheckFailed, 1)])
def test_what_fails_everywhere_is_an_error_at_once(kind: type[SystemFailure | CheckFailed], code: int) -> None:
    def act(one: Target) -> list[str]:
        raise kind(f"no {one.host}")

    with pytest.raises(HostsFailed) as failed:
        each([target("a"), target("b")], act, {})
    assert (failed.value.exit_code, failed.value.message.count("\n"), failed.value.hint) == (code, 1, "")


def test_without_a_service_there_is_no_host_and_no_failure() -> None:
    assert each([], lambda one: [one.host], {}, side_by_side=True) == []


def test_a_host_is_named_once_also_by_a_command_that_needs_all() -> None:
    far = HostFailure("far", (), answers=False, last_answer="", why="switched off")
    needed = SystemFailure(str(far), hint="switch it on")
    assert HostsFailed([far], needed).lines() == ["host far does not answer: switched off", "switch it on"]
    other = HostsFailed([far], CheckFailed("wiki needs attention", hint="see why"))
    assert other.message == "wiki needs attention\nhost far does not answer: switched off"
    assert (other.exit_code, other.hint) == (3, "see why")


def test_a_single_engine_fails_as_itself() -> None:
    alone = [target("a", dead=True)]
    connect(alone, {})

    def act(one: Target) -> list[str]:
        one.engine.answer()
        return []

    with pytest.raises(SystemFailure, match=r"^nobody is there$"):
        each(alone, act, {})


def test_what_hangs_is_left_behind() -> None:
    never = threading.Event()
    found = at_once(
        lambda one: never.wait() if one else one, [0, 1], seconds=0.1, late=lambda _: SystemFailure("too late")
    )
    assert (found[0], str(found[1])) == (0, "too late")


def test_a_bug_in_a_thread_is_not_lost() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda one: 1 // one, [1, 0], seconds=60, late=lambda _: SystemFailure("too late"))
