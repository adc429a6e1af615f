"""The router's tables as values and as files."""

from dataclasses import replace

import pytest

from darkpeak.errors import UsageError
from darkpeak.router.acme import Acme
from darkpeak.router.files import find_drift, moved, parse, render
from darkpeak.router.routes import Changes, Gate, Limit, Link, Route, Table, TcpRoute, TlsRoute, compare, merge

TABLE = Table(
    domains=("localhost",),
    http=(Route("wiki", 6010), Route("chat", 6030), Route("shop.example.org", 6050)),
    tcp=(TcpRoute(5269, 6035, "chat", proxy=True), TcpRoute(5222, 6032, "chat")),
    tls=(TlsRoute("vault", 6061, proxy=True), TlsRoute("vault.example.org", 6061)),
    ssh=(Route("git", 6042),),
    plain_ssh=6042,
    probed=(Route("directory", 6020),),
    away=(("notes", "far"),),
    peers=(("far", "192.0.2.7"),),
    links=(Link(6032, 6032), Link(6034, 6035, proxy=True)),
    far=((6070, "far"),),
    far_tcp=((25, 6070),),
    limits=(Limit("wiki", rate=20, connections=50), Limit("chat", connections=9, idle=3600, body=2 << 30)),
    gate=Gate(("shop.example.org", "wiki"), ("now\n", "next\n"), ("chat",)),
    pairs=(6030, 6034),
    acme=Acme(
        "https://ca.example/dir",
        hook="nsupdate",
        trust="a root\n",
        certificates=(("peak.test", "*.peak.test"),),
        redirect=False,
    ),
)


def test_a_table_becomes_files_in_one_order() -> None:
    frontend = """\
frontend tcp from ports
  bind "0.0.0.0:5222" name chat:5222
  bind "0.0.0.0:5269" name chat:5269
.if defined(IPV6)
  bind "[::]:5222" v6only name chat:5222
  bind "[::]:5269" v6only name chat:5269
.endif
  acl proxy var(sess.to) -m end /proxy
  acl pair var(sess.to) -m sub -- -
  use_backend port-pairs-proxy if pair proxy
  use_backend port-pairs if pair
  use_backend ports-proxy if proxy
  default_backend ports
frontend far-tcp from ports
  bind "0.0.0.0:25" name 6070
.if defined(IPV6)
  bind "[::]:25" v6only name 6070
.endif
  default_backend far
"""
    assert render(TABLE) == {
        "domains.lst": b".localhost\n",
        "http.map": b"chat 6030-6031\nwiki 6010\n",
        "hosts.map": b"shop.example.org 6050\n",
        "tls.map": b"vault.example.org 6061\nvault.localhost 6061/proxy\n",
        "ssh.map": b"* 6042\ngit 6042\n",
        "tcp.map": b"chat:5222 6032\nchat:5269 6034-6035/proxy\n",
        "rate.map": b"wiki 20\n",
        "connections.map": b"chat 9\nwiki 50\n",
        "idle.map": b"chat 3600\n",
        "body.map": b"chat 2147483648\n",
        "members.map": b"chat 2\nshop.example.org 1\nwiki 1\n",
        "away.map": b"notes far\n",
        "peers.map": b"far 192.0.2.7\n",
        "links.map": b"6032 6032\n6034 6034-6035/proxy\n",
        "far.map": b"6070 far\n",
        "account.pem": b"now\n",
        "account-next.pem": b"next\n",
        "tls.cfg": b"global\n  setenv TLS_ROUTES 1\n  setenv MEMBERS 1\n",
        "tcp.cfg": frontend.encode(),
        "certificates.lst": (
            b"acme https://ca.example/dir\ncertificate peak.test *.peak.test\nhook nsupdate\nredirect off\n"
        ),
        "trust.pem": b"a root\n",
        "probed.map": b"directory 6020\n",
        "pairs.map": b"6030-6031 6030\n6034-6035 6035\n",
    }


def test_the_order_of_routes_does_not_matter() -> None:
    assert render(TABLE) == render(
        replace(TABLE, http=TABLE.http[::-1], tcp=TABLE.tcp[::-1], limits=TABLE.limits[::-1])
    )


def test_without_tcp_routes_no_port_is_opened() -> None:
    assert render(Table(("localhost",)))["tcp.cfg"] == b""


def test_files_are_read_back_as_the_same_routes() -> None:
    again = parse(render(TABLE))
    assert again.targets() == TABLE.targets()
    assert (again.pairs, render(again)) == (TABLE.pairs, render(TABLE))


def test_the_port_of_a_pair_is_what_the_router_led_to_last() -> None:
    files = {"http.map": b"wiki 6010-6011\nchat 6030-6031\n", "pairs.map": b"6010-6011 6010\n6010-6011 6011\n"}
    assert parse(files).http == (Route("chat", 6030), Route("wiki", 6011))


def test_a_pair_that_moved_is_no_drift() -> None:
    """The router finds the other port by itself, so nothing needs to be done."""
    now = replace(TABLE, http=(Route("wiki", 6010), Route("chat", 6031), Route("shop.example.org", 6050)))
    assert find_drift(render(TABLE), render(now), running=False) == []
    assert [moved(render(TABLE), render(other)) for other in (now, TABLE)] == [True, False]


def test_wrong_lines_are_not_routes() -> None:
    files = {"domains.lst": b"oops\n.here\n", "http.map": b"a 6010\nb\nc x\n \n", "tcp.map": b"chat 6010\n"}
    files |= {"pairs.map": b"6010-6011\n \nx y z\n"}
    assert parse(files) == Table(("here",), (Route("a", 6010),))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param(Table(("localhost",), (Route("x", 22),)), "x leads to port 22, which is not in", id="loopback"),
        pytest.param(Table(("localhost",), (Route("x", 6001),)), "x leads to port 6001", id="the router's own"),
        pytest.param(Table(("localhost",), (Route("x", 7000),)), "x leads to port 7000", id="past the last block"),
        pytest.param(Table((), (Route("x", 6020),), blocks=(6010,)), "x leads to port 6020", id="undeclared block"),
        pytest.param(Table((), (Route("x", 6001),), blocks=(6000,)), "x leads to port 6001", id="own block declared"),
        pytest.param(Table((), (), (TcpRoute(5222, 80, "x"),)), "x:5222 leads to port 80", id="tcp to loopback"),
        pytest.param(Table((), (Route("a b", 6010),)), "'a b' is neither", id="space"),
        pytest.param(Table((), (Route("a\nb", 6010),)), "is neither", id="line break"),
        pytest.param(Table((), (Route("a\n", 6010),)), "is neither", id="line break at the end"),
        pytest.param(Table((), (Route("-a", 6010),)), "'-a' is neither", id="hyphen first"),
        pytest.param(Table((), (Route("A", 6010),)), "'A' is neither", id="capital"),
        pytest.param(Table((), (Route("a" * 64, 6010),)), "is neither", id="long label"),
        pytest.param(Table((), (Route("a.", 6010),)), "'a.' is neither", id="trailing dot"),
        pytest.param(Table((), (Route("a", 6010), Route("a", 6011))), "the name a is there twice", id="name twice"),
        pytest.param(Table((".localhost",)), "'.localhost' is not a domain", id="domain"),
        pytest.param(Table((), (), (TcpRoute(7443, 6010, "x"),)), "public port 7443 cannot be used", id="own port"),
        pytest.param(Table((), (), (TcpRoute(6010, 6010, "x"),)), "public port 6010 cannot be used", id="public block"),
        pytest.param(Table((), (), (TcpRoute(0, 6010, "x"),)), "0 is not a port", id="port 0"),
        pytest.param(Table((), ssh=(Route("git", 22),)), "ssh git leads to port 22", id="ssh to the host's own"),
        pytest.param(Table((), ssh=(Route("a.b", 6010),)), "a.b cannot be an ssh route", id="ssh by host name"),
        pytest.param(Table((), ssh=(Route("jump", 6010),)), "the ssh name jump belongs", id="the jump server's name"),
        pytest.param(Table((), plain_ssh=22), "plain ssh leads to port 22", id="plain ssh to the host's own"),
        pytest.param(Table((), tls=(TlsRoute("x", 5000),)), "tls x leads to port 5000", id="tls to loopback"),
        pytest.param(Table((), limits=(Limit("a b"),)), "'a b' is neither", id="limit's label"),
        pytest.param(Table((), (), (TcpRoute(25, 6010, "x y"),)), "'x y' is not the name of a service", id="service"),
        pytest.param(
            Table((), (), (TcpRoute(25, 6010, "x"), TcpRoute(25, 6020, "y"))), "port 25 is there twice", id="port twice"
        ),
    ],
)
def test_wrong_routes_are_refused(table: Table, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(table)


def test_tables_are_compared_by_the_names_of_routes() -> None:
    after = replace(TABLE, http=(Route("wiki", 6011), Route("git", 6040)), tcp=TABLE.tcp[:1])
    assert compare(TABLE, after) == Changes(
        added=("git",), changed=("wiki",), removed=("chat", "chat:5222", "shop.example.org")
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(), "nothing to do"),
        (Changes(added=("a", "b"), silent=("b",), reloaded=True), "added a, b; not answering yet: b; reloaded"),
        (Changes(removed=tuple("abcdefgh")), "removed a, b, c, d, e, f and 2 more"),
        (Changes(synchronised=True), "router synchronised"),
    ],
)
def test_changes_in_words(changes: Changes, words: str) -> None:
    assert str(changes) == words
    assert bool(changes) == (words != "nothing to do")


def test_drift_names_table_and_line() -> None:
    found = {**render(TABLE), "http.map": b"chat 6030-6031\nwiki 6099\n"}
    assert [str(drift) for drift in find_drift(render(TABLE), found, running=True)] == [
        "the running router: http.map: lacks 'wiki 6010'",
        "the running router: http.map: has 'wiki 6099'",
    ]


def test_what_another_deploy_found_silent_is_not_said_of_a_service_that_answers_at_the_end() -> None:
    early = Changes(silent=("chat", "git"), reverted=("wiki", "pad"))
    late = Changes(changed=("wiki",), added=("chat",))
    assert merge([early, late], {"chat", "wiki"}) == Changes(
        added=("chat",), changed=("wiki",), silent=("git",), reverted=("pad",)
    )
