"""What the tool does with the router's container, tested with a stand-in in memory."""

import pytest

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.router.control import Notice, Router
from darkpeak.router.files import parse
from darkpeak.router.routes import Changes, Counted, Route, Table, TcpRoute
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
    counted = the_router(a_router()).counters()
    assert counted == [Counted(6010, 0, 0, 0), Counted(6020, 200, 3, 500)]
