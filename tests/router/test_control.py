"""What the tool does with the router's container, tested with a stand-in in memory."""

from dataclasses import replace

import pytest

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.router.control import Notice, Router
from darkpeak.router.files import parse
from darkpeak.router.routes import Changes, Counted, Gate, Route, Table, TcpRoute
from tests.router.stand_in import FILES, StandIn

WIKI = Table(("localhost",), (Route("wiki", 6010),))


def the_router(container: StandIn) -> Router:
    return Router(container)


def a_router(routes: bytes = b"wiki 6010\n", dead: set[int] | None = None) -> StandIn:
    return StandIn(files={**FILES, "http.map": routes}, dead=dead or set())


def programs(container: StandIn) -> list[str]:
    return [argv[0] for argv in container.ran]


def test_for_an_unchanged_table_only_the_running_one_is_read() -> None:
    container = a_router()
    assert the_router(container).apply(WIKI) == Changes()
    assert programs(container) == ["running"]


def test_an_added_route_is_verified_with_a_request() -> None:
    container = a_router(b"")
    assert the_router(container).apply(WIKI) == Changes(added=("wiki",))
    assert container.ran[-1] == ["probe", "wiki.localhost"]
    assert parse(container.files) == WIKI


def test_a_tcp_route_needs_a_reload() -> None:
    container = a_router()
    changes = the_router(container).apply(Table(WIKI.domains, WIKI.http, (TcpRoute(5222, 6032, "chat"),)))
    assert changes == Changes(added=("chat:5222",), reloaded=True)


def test_a_route_added_for_a_stopped_service_stays() -> None:
    container = a_router(b"", dead={6010})
    assert the_router(container).apply(WIKI) == Changes(added=("wiki",), silent=("wiki",))
    assert parse(container.files) == WIKI


def test_a_route_to_a_dead_port_is_reverted_and_others_stay() -> None:
    container = a_router(dead={6011})
    changes = the_router(container).apply(Table(("localhost",), (Route("wiki", 6011), Route("git", 6040))))
    assert changes == Changes(added=("git",), reverted=("wiki",))
    assert parse(container.files) == Table(("localhost",), (Route("git", 6040), Route("wiki", 6010)))


def test_a_whole_host_name_is_verified_by_that_name() -> None:
    container = a_router()
    the_router(container).apply(Table(WIKI.domains, (*WIKI.http, Route("shop.example.org", 6050))))
    assert container.ran[-1] == ["probe", "shop.example.org"]


def test_a_router_changed_by_hand_is_fixed() -> None:
    container = a_router()
    container.running = {**container.files, "http.map": b"wiki 6099\n"}
    assert {drift.line for drift in the_router(container).drift(WIKI)} == {"wiki 6010", "wiki 6099"}
    assert the_router(container).apply(WIKI) == Changes(synchronised=True)
    assert the_router(container).drift(WIKI) == []


KEYS = ("now\n", "next\n")
GATED = replace(WIKI, gate=Gate(("wiki",), KEYS))


def test_a_route_for_members_only_needs_keys_and_keeps_those_that_it_has() -> None:
    container = a_router(b"")
    closed = the_router(container).apply(replace(WIKI, gate=Gate(("wiki",))))
    assert closed == Changes(reverted=("wiki",), reloaded=False)
    assert parse(container.files).http == ()
    assert the_router(container).apply(GATED) == Changes(added=("wiki",), reloaded=True)
    assert parse(container.files) == GATED
    assert the_router(container).apply(replace(WIKI, gate=Gate(("wiki",)))) == Changes()
    assert parse(container.files) == GATED


def test_a_route_that_knows_members_stays_open_without_keys() -> None:
    container = a_router(b"")
    optional = replace(WIKI, gate=Gate((), KEYS, ("wiki",)))
    the_router(container).apply(optional)
    assert parse(container.files) == optional
    container = a_router(b"")
    the_router(container).apply(replace(WIKI, gate=Gate((), (), ("wiki",))))
    assert parse(container.files).http == WIKI.http
    assert container.files["members.map"] == b""


def test_an_older_router_gets_no_route_for_members_only() -> None:
    container = a_router(b"")
    container.files = {name: content for name, content in container.files.items() if name != "members.map"}
    assert the_router(container).apply(GATED).reverted == ("wiki",)
    assert parse(container.files).http == ()


def test_a_route_that_stays_because_of_a_fault_stays_for_members_only() -> None:
    container = a_router(b"")
    the_router(container).apply(GATED)
    the_router(container).apply(Table(("localhost",), kept=frozenset({6010})))
    assert parse(container.files) == GATED


def test_nothing_is_touched_if_a_route_is_not_allowed() -> None:
    container = a_router()
    with pytest.raises(UsageError):
        the_router(container).apply(Table(("localhost",), (Route("wiki", 22),)))
    assert container.ran == []


def test_the_containers_error_is_in_the_message() -> None:
    container = a_router()
    container.refuse = "apply"
    with pytest.raises(SystemFailure, match="the router refused: it is broken"):
        the_router(container).apply(Table(("localhost",)))


def test_a_request_is_signed_and_leaves_no_files() -> None:
    container = a_router()
    signed = the_router(container).sign(b"request", ["localhost", "chat.localhost"])
    assert signed == b"request for localhost chat.localhost"
    assert container.handed == {}


def test_a_notice_is_set_survives_other_changes_and_is_removed() -> None:
    container = a_router()
    router = the_router(container)
    router.set_notice("wiki", Notice(600, "back at <nine>\nsharp"))
    assert container.files["maintenance.map"] == b"wiki 600 back at &lt;nine&gt; sharp\n"
    router.apply(Table(("localhost",)))
    assert router.notices() == {"wiki": Notice(600, "back at <nine> sharp")}
    router.set_notice("wiki", None)
    assert router.notices() == {}


def test_counters_are_read_by_service() -> None:
    """An older router does not say how many requests wait for an answer: one may."""
    counted = the_router(a_router()).counters()
    assert counted == [Counted(6010, 0, 0, 0, 0), Counted(6020, 200, 3, 500, 1)]


def test_a_route_does_not_change_while_nothing_answers_at_its_new_port() -> None:
    """The service is asked at its port first: no request is led there."""
    container = a_router()
    container.dead = {6011}
    changes = the_router(container).apply(Table(WIKI.domains, (Route("wiki", 6011),), (TcpRoute(5222, 6032, "chat"),)))
    assert (changes.changed, changes.reverted, changes.added) == ((), ("wiki",), ("chat:5222",))
    applied = [ran[0] for ran in container.ran]
    assert applied.index("ask") < applied.index("apply")
    assert container.files["http.map"] == b"wiki 6010\n"


def test_a_stream_is_asked_at_its_new_port_too() -> None:
    container, before = a_router(), Table(WIKI.domains, WIKI.http, (TcpRoute(5222, 6032, "chat"),))
    the_router(container).apply(before)
    container.dead = {6033}
    changes = the_router(container).apply(replace(before, tcp=(TcpRoute(5222, 6033, "chat"),)))
    assert changes.reverted == ("chat:5222",)
    assert parse(container.files).tcp == before.tcp


def test_a_route_that_must_answer_is_asked_even_if_nothing_changes() -> None:
    container = a_router()
    assert not the_router(container).apply(WIKI, ["wiki"]).silent
    container.dead = {6010}
    assert the_router(container).apply(WIKI, ["wiki"]).silent == ("wiki",)


def test_the_routes_of_containers_in_no_file_stay() -> None:
    """A service with a fault, or a project with another name, keeps its routes while it runs."""
    container, old = a_router(), Table(WIKI.domains, (Route("wiki", 6010), Route("polls", 6051)), pairs=(6050,))
    the_router(container).apply(old)
    without = Table(WIKI.domains, WIKI.http, blocks=(6010,), kept=frozenset({6051}))
    assert the_router(container).drift(without) == []
    assert not the_router(container).apply(without)
    assert the_router(container).apply(replace(without, kept=frozenset())).removed == ("polls",)


def test_a_kept_route_gives_way_to_a_declared_one() -> None:
    container = a_router()
    moved = Table(WIKI.domains, (Route("wiki", 6020),), blocks=(6020,), kept=frozenset({6010}))
    assert the_router(container).apply(moved).changed == ("wiki",)
    assert parse(container.files).http == (Route("wiki", 6020),)


def test_an_older_router_without_the_probers_table_is_not_synchronised_for_ever() -> None:
    container = a_router()
    container.files["probed.map"] = b""
    table = replace(WIKI, probed=(Route("directory", 6020),))
    assert the_router(container).apply(table) == Changes(synchronised=True)
    del container.files["probed.map"]
    assert the_router(container).apply(table) == Changes()
    assert the_router(container).drift(table) == []
