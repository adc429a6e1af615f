"""The port to which a name leads, from the declared routes and from what runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.actions.up import with_dependencies
from darkpeak.lint.hosts import together
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.plan import make_plan
from darkpeak.plan.routes import list_routes, make_table
from darkpeak.plan.ssh_config import make_ssh_config
from darkpeak.plan.status import make_ports, make_roadmap, make_status, mark_unreachable
from darkpeak.plan.text import make_text
from darkpeak.router.routes import Counted, Limit, Link, Route, Table, TcpRoute, TlsRoute
from tests.making import edit, write_collective

OLD = Running("a", "darkpeak-wiki", "webserver", 1, "w-1", "running", "healthy", ports=((80, 6010),))
NEW = Running("b", "darkpeak-wiki", "webserver", 2, "w-2", "running", "healthy", ports=((80, 6011),))
ILL = Running("c", "darkpeak-wiki", "webserver", 3, "w-3", "running", "unhealthy", ports=((80, 6011),))
STOPPED = Running("d", "darkpeak-wiki", "webserver", 1, "w-1", "exited")


@pytest.mark.parametrize(
    ("containers", "port"),
    [((OLD,), 6010), ((OLD, NEW), 6011), ((OLD, ILL), 6010), ((STOPPED,), 6010), ((NEW,), 6011)],
    ids=["one", "newest", "newest that is ready", "stopped keeps its route", "second of the range"],
)
def test_a_name_leads_to_the_newest_ready_container(tmp_path: Path, containers: tuple[Running], port: int) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    table = make_table(files, Observed(containers))
    assert [(route.label, route.port) for route in table.http] == [("wiki", port)]
    assert table.domains == ("localhost",)


def web(
    identity: str, number: int, *, content: str = "old", image: str = "image-1", health: str = "healthy"
) -> Running:
    name, port = f"w-{number}", 6010 + (identity == "new")
    return Running(
        identity,
        "darkpeak-wiki",
        "webserver",
        number,
        name,
        "running",
        health,
        content,
        image=image,
        ports=((80, port),),
    )


@pytest.mark.parametrize(
    ("running", "image", "serving"),
    [
        ((web("old", 1), web("new", 2, content="")), "image-1", "new"),
        ((web("old", 7), web("new", 1, content="", image="image-2")), "image-2", "new"),
        ((web("old", 2, content=""), web("new", 1, content="", image="image-2")), "image-2", "new"),
        ((web("old", 2, content=""), web("new", 1, image="image-2")), "image-2", "new"),
        ((web("old", 1), web("new", 2, content="", health="starting")), "image-1", "old"),
        ((web("old", 2), web("other", 1)), "image-3", "old"),
        ((web("old", 9), web("new", 10)), "image-3", "new"),
    ],
    ids=[
        "it matches the files",
        "although compose's numbers began again",
        "the same files, but a newer image",
        "an earlier image, in a rollback",
        "not ready yet",
        "none matches",
        "numbers, not words",
    ],
)
@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "turned"])
def test_which_instance_serves_is_decided_without_a_clock(
    tmp_path: Path, running: tuple[Running, ...], image: str, serving: str, turn: int
) -> None:
    """The date of an engine can be wrong, so there is none in what we observe; `content=""` stands for the files'."""
    files = collective.read(write_collective(tmp_path))[0]
    service = next(item for item in files.services if item.name == "wiki")
    (container,) = service.containers
    seen = [item if item.content else replace(item, content=container.content) for item in running]
    observed = Observed(tuple(seen[::turn]), ((container.image, image),))
    found = observed.serving(service.project, container)
    assert found is not None
    assert found.id == serving
    assert make_table(files, observed).http[0].port == found.ports[0][1]


def test_a_service_that_was_never_started_has_no_route(tmp_path: Path) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    assert make_table(files, Observed()).http == ()


@pytest.mark.parametrize(
    ("containers", "state"),
    [((), "absent"), ((OLD,), "healthy"), ((STOPPED,), "stopped"), ((ILL,), "webserver unhealthy")],
    ids=["absent", "healthy", "stopped", "unhealthy"],
)
def test_the_state_of_a_service(tmp_path: Path, containers: tuple[Running], state: str) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    row = next(row for row in make_status(files, files.services, Observed(containers)) if row.service == "wiki")
    assert (row.state, row.address) == (state, ("http://wiki.localhost:7080/",))


def test_routes_are_listed_with_the_port_they_lead_to(tmp_path: Path) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    listed = list_routes(files, Observed((NEW,)))
    assert [(row.address, row.service, row.port, row.state) for row in listed] == [
        ("wiki.localhost", "wiki", 6011, "healthy")
    ]


def test_ports_are_listed_by_number(tmp_path: Path) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    assert [(row.port, row.service, row.target, row.route) for row in make_ports(files)] == [
        ("6010-6011", "wiki", "80", "wiki.localhost"),
        ("6020", "directory", "389", ""),
    ]


def test_the_roadmap_shows_who_is_missing(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, "services/wiki/docker-compose.yml", "[ada, grace]", "[ada]")
    edit(root, "services/directory/docker-compose.yml", "level: alpha", "level: beta")
    rows = make_roadmap(collective.read(root)[0])
    assert [(row.level, row.service, row.missing) for row in rows] == [
        ("beta", "directory", ""),
        ("alpha", "wiki", "a co-admin"),
    ]


def test_every_kind_of_route_reaches_the_router(tmp_path: Path) -> None:
    kinds = "    http: {wiki: 6010, www.shop.example: 6010}\n    tls: 6012\n    ssh: 6013\n    plain-ssh: 6013\n"
    kinds += "    tcp: {'5222': 6014}\n    proxy: [6014]\n  limits: {rate: 9, idle: 1h}\n"
    root = write_collective(tmp_path)
    edit(root, "services/wiki/docker-compose.yml", "    http: 6010\n", kinds)
    assert make_table(collective.read(root)[0], Observed((NEW,))) == Table(
        domains=("localhost",),
        http=(Route("wiki", 6011), Route("www.shop.example", 6011)),
        tcp=(TcpRoute(5222, 6014, "wiki", proxy=True),),
        tls=(TlsRoute("wiki", 6012),),
        ssh=(Route("wiki", 6013),),
        plain_ssh=6013,
        limits=(Limit("wiki", rate=9, idle=3600), Limit("www.shop.example", rate=9, idle=3600)),
        pairs=(6010,),
    )


@pytest.mark.parametrize(("health", "port"), [("healthy", 6011), ("unhealthy", 6011), ("starting", 6011)])
def test_a_route_leads_to_the_port_that_the_container_has(tmp_path: Path, health: str, port: int) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    moved = replace(NEW, health=health)
    assert make_table(files, Observed((moved,))).http == (Route("wiki", port),)


SSH_BY_JUMP = """\
Host jump.localhost
  HostName localhost
  Port 7022

Host wiki.localhost
  ProxyJump jump.localhost"""
SSH_BY_TLS = """\
Host wiki.darkpeak.test
  ProxyCommand openssl s_client -quiet -verify_quiet -servername %h -connect %h:7022"""


@pytest.mark.parametrize(
    ("domain", "routes", "block"),
    [
        ("localhost", "http: 6010", ""),
        ("localhost", "ssh: 6010", SSH_BY_JUMP),
        ("darkpeak.test", "ssh: 6010\n    plain-ssh: 6010", SSH_BY_TLS),
    ],
    ids=["no ssh route", "by the jump server", "by TLS, where plain ssh is a service's"],
)
def test_the_ssh_configuration(tmp_path: Path, domain: str, routes: str, block: str) -> None:
    root = write_collective(tmp_path)
    edit(root, "collective.toml", "localhost", domain)
    edit(root, "services/wiki/docker-compose.yml", "http: 6010", routes)
    assert "\n".join(make_ssh_config(collective.read(root)[0])) == block


def test_status_shows_the_routers_counters_of_a_service(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    files = collective.read(root)[0]
    counted = [Counted(6010, 4, 1, 50), Counted(6030, 9, 9, 9)]
    rows = make_status(files, files.services, Observed((OLD,)), counted=counted)
    assert [(row.service, row.requests, row.failed, row.ms) for row in rows] == [
        ("directory", None, None, None),
        ("wiki", 4, 1, 12.5),
    ]


def test_a_healthy_service_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    files = collective.read(write_collective(tmp_path))[0]
    rows = make_status(files, files.services, Observed((NEW,)))
    assert [row.state for row in mark_unreachable(rows, ["wiki"])] == ["absent", "unreachable"]
    assert mark_unreachable(rows, ["directory"]) == rows


PEERS = """
[hosts.north]
docker = "ssh://ops@north"
address = "192.0.2.8"
services = ["directory"]

[hosts.south]
docker = "ssh://ops@south"
address = "192.0.2.9"
services = ["wiki"]
"""


@pytest.mark.parametrize(
    ("here", "running", "http", "away", "peers"),
    [
        ("south", (OLD,), [("wiki", 6010)], (), (("north", "192.0.2.8"),)),
        ("north", (), [], (("wiki", "south"),), (("south", "192.0.2.9"),)),
        ("north", (OLD,), [("wiki", 6010)], (), (("south", "192.0.2.9"),)),  # a trial there
        ("", (), [], (), ()),  # it has no address, so it is nobody's peer
    ],
    ids=["at home", "elsewhere", "here too", "no peer"],
)
def test_a_router_leads_to_the_peer_where_a_service_lives(  # noqa: PLR0913, PLR0917 (a host, and what its table has)
    tmp_path: Path,
    here: str,
    running: tuple[Running, ...],
    http: list[tuple[str, int]],
    away: tuple[tuple[str, str], ...],
    peers: tuple[tuple[str, str], ...],
) -> None:
    root = write_collective(tmp_path)
    with (root / "collective.toml").open("a") as file:
        file.write(PEERS)
    files = collective.read(root)[0]
    table = make_table(files.on(here) if here else files, Observed(running))
    assert [(route.label, route.port) for route in table.http] == http
    assert (table.away, table.peers) == (away, peers)


@pytest.mark.parametrize(
    ("here", "links", "far", "far_tcp"),
    [
        ("north", (Link(6020, 6020),), ((6011, "south"),), ((25, 6011),)),
        ("south", (Link(6011, 6011, proxy=True),), ((6020, "north"),), ()),
        ("", (), (), ()),
    ],
)
def test_a_router_leads_to_what_a_service_offers_and_only_there(
    tmp_path: Path,
    here: str,
    links: tuple[Link, ...],
    far: tuple[tuple[int, str], ...],
    far_tcp: tuple[tuple[int, int], ...],
) -> None:
    root = write_collective(tmp_path)
    with (root / "collective.toml").open("a") as file:
        file.write(PEERS)
    edit(root, "services/directory/docker-compose.yml", "  block: 6020\n", '  block: 6020\n  offers: {"389": 6020}\n')
    edit(
        root,
        "services/wiki/docker-compose.yml",
        "    http: 6010\n",
        '    http: 6010\n    tcp: {"25": 6011}\n    proxy: [6011]\n',
    )
    files, findings = collective.read(root)
    assert findings == []
    assert [item.rule for item in together(files)] == []
    slapd = Running("e", "darkpeak-directory", "slapd", 1, "s-1", "running", ports=((389, 6020),))
    running = {"north": (slapd,), "south": (STOPPED,)}.get(here, ())
    table = make_table(files.on(here), Observed(running))
    assert (table.links, table.far, table.far_tcp) == (links, far, far_tcp)
    plan = make_plan(files.on(here), Observed(), with_dependencies(files.on(here), files.services[-1:]))
    assert [item.service for item in plan.services] == (["wiki"] if here == "south" else ["directory", "wiki"])
    said = (
        "  1. build webserver\n  2. have a stand-in for directory (on north) answer in the network darkpeak-directory"
    )
    assert (said in "\n".join(make_text(plan))) == (here == "south")
