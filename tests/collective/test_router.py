"""[router]: everything uses the ports in collective.toml."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.collective.model import Collective
from darkpeak.collective.settings import Certificates, RouterPorts
from darkpeak.plan.observed import Observed
from darkpeak.plan.routes import make_table
from darkpeak.plan.ssh_config import make_ssh_config
from darkpeak.plan.status import addresses
from darkpeak.system.base import make_wanted
from tests.making import edit, without_notes, write_collective, write_service

ROUTER = """\
name: darkpeak-router
x-darkpeak:
  {about: Leads, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy:
    build: haproxy
    restart: unless-stopped
    environment: {HTTP_PORT: "${DARKPEAK_HTTP_PORT:-7080}", SSH_PORT: "${DARKPEAK_SSH_PORT:-7022}"}
  other: {build: haproxy, restart: always}
"""


def read(root: Path, router: str = "") -> Collective:
    path = root / "collective.toml"
    if not path.exists():
        write_collective(root)
        write_service(root, "router", ROUTER, "haproxy")
        edit(root, "services/wiki/docker-compose.yml", "    http: 6010", "    http: 6010\n    ssh: 6010")
    text = path.read_text().partition("[router]")[0]
    path.write_text(text + (f"[router]\n{router}\n" if router else ""))
    found, findings = collective.read(root)
    assert [*findings, *without_notes(lint.check(found))] == []
    return found


def contents(found: Collective) -> dict[str, str]:
    return {f"{item.name}/{one.name}": one.content for item in found.services for one in item.containers}


def test_the_default_ports_are_those_of_the_guide(tmp_path: Path) -> None:
    assert read(tmp_path).router == RouterPorts(7080, 7443, 7022)


def test_a_changed_port_changes_what_uses_it_and_nothing_else(tmp_path: Path) -> None:
    before, after = contents(read(tmp_path)), contents(read(tmp_path, "http = 8080"))
    assert {name for name in before if before[name] != after[name]} == {"router/haproxy"}
    assert contents(read(tmp_path, "https = 8443")) == before


def test_compose_gets_the_ports_and_not_the_shells_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from darkpeak.engine.compose import Compose
    from darkpeak.engine.engine import Engine

    monkeypatch.setenv("DARKPEAK_HTTP_PORT", "1")
    found = read(tmp_path, "http = 8080")
    environment = Compose(Engine("unix:///nowhere"), found.variables).environment
    chosen = {name: value for name, value in environment.items() if name.startswith("DARKPEAK_") and "TEST" not in name}
    assert chosen == {
        "DARKPEAK_DOMAIN": "localhost",
        "DARKPEAK_HTTP_PORT": "8080",
        "DARKPEAK_HTTPS_PORT": "7443",
        "DARKPEAK_SSH_PORT": "7022",
    }


@pytest.mark.parametrize(
    ("router", "address"),
    [
        ("", "http://wiki.localhost:7080/"),
        ("http = 8080", "http://wiki.localhost:8080/"),
        ("http = 80", "http://wiki.localhost/"),
    ],
    ids=["default", "8080", "80"],
)
def test_addresses_have_a_port_that_is_not_the_default(tmp_path: Path, router: str, address: str) -> None:
    found = read(tmp_path, router)
    wiki = next(item for item in found.services if item.name == "wiki")
    assert addresses(found, wiki) == (address,)


def test_ssh_config_and_firewall_use_the_ports(tmp_path: Path) -> None:
    found = read(tmp_path, "http = 8080\nhttps = 8443\nssh = 2222")
    assert "  Port 2222" in make_ssh_config(found)
    assert make_wanted(found).ports == (80, 443, 2222, 8080, 8443)


def test_a_tcp_route_must_not_use_a_port_of_the_router(tmp_path: Path) -> None:
    found = read(tmp_path, "http = 8080")
    assert make_table(found, Observed()).own_ports == (8080, 7443, 7022)
    edit(tmp_path, "services/wiki/docker-compose.yml", "    ssh: 6010", "    tcp: {'8080': 6010}")
    taken = [item for item in without_notes(lint.check(collective.read(tmp_path)[0])) if item.rule == "public-port"]
    assert [item.what for item in taken] == ["the public port 8080 of a tcp route is one of the router's own ports"]
    edit(tmp_path, "services/wiki/docker-compose.yml", "8080", "7080")
    left = without_notes(lint.check(collective.read(tmp_path)[0]))
    assert [item for item in left if item.rule == "public-port"] == []


@pytest.mark.parametrize(
    ("certified", "router", "leads", "address"),
    [
        pytest.param(True, "", True, "https://wiki.localhost:7443/", id="certificates"),
        pytest.param(True, "redirect = false", False, "http://wiki.localhost:7080/", id="turned off"),
        pytest.param(False, "redirect = true", False, "http://wiki.localhost:7080/", id="no certificate"),
        pytest.param(False, "", False, "http://wiki.localhost:7080/", id="the default"),
    ],
)
def test_http_leads_to_https_where_everyone_trusts_it(
    tmp_path: Path, *, certified: bool, router: str, leads: bool, address: str
) -> None:
    found = read(tmp_path, router)
    found = replace(
        found, certificates=Certificates("https://ca.example/dir", "mailto:ada@peak.test") if certified else None
    )
    wiki = next(item for item in found.services if item.name == "wiki")
    assert (found.leads_to_https, addresses(found, wiki)) == (leads, (address,))
