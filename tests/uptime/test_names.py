"""The tool and the prober have the same names for routes, by way of the router's tables."""

from pathlib import Path

from darkpeak.collective.model import Collective, Container, NamedRoute, Place, Port, PortRoute, Routes, Service
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.routes import make_table
from darkpeak.router.files import render
from darkpeak.uptime.names import names_of
from services.router.prober.probe.routes import read_routes

HERE = Place("services/x/docker-compose.yml", 1)


def test_each_name_of_a_service_is_one_that_the_prober_asks(tmp_path: Path) -> None:
    routes = Routes(
        http=(NamedRoute("wiki", 6010, HERE), NamedRoute("www.shop.example", 6011, HERE)),
        tls=(NamedRoute("vault", 6012, HERE),),
        tcp=(PortRoute(5222, 6013, HERE),),
        ssh=6014,
        plain_ssh=6014,
    )
    port = Port("127.0.0.1", range(6020, 6021), range(389, 390), HERE)
    services = (
        Service("all", tmp_path, HERE, project="darkpeak-all", block=6010, routes=routes),
        Service(
            "directory",
            tmp_path,
            HERE,
            project="darkpeak-directory",
            containers=(Container("slapd", HERE, ports=(port,)),),
        ),
        Service("router", tmp_path, HERE, project="darkpeak-router"),
    )
    collective = Collective(tmp_path, "Peak", "peak.test", services=services)
    there = (Running("a", service.project, "one", 1, "one-1", "running") for service in services)
    table = make_table(collective, Observed(tuple(there)))
    for name, content in render(table).items():
        (tmp_path / name).write_bytes(content)
    asked = {route.name for route in read_routes(tmp_path)}
    named = {service.name: names_of(service, "peak.test") for service in services}
    assert asked == {name for names in named.values() for name in names}
    assert len(named["all"]) == 6
    assert (named["directory"], named["router"]) == (("port directory",), ("port router",))
