"""haproxy itself reads the configurations of random collectives, and accepts each one."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from darkpeak.router.files import render
from darkpeak.router.routes import OWN_PORTS, SERVICE_BLOCKS, Limit, Route, Table, TcpRoute, TlsRoute
from darkpeak.vocabulary import BLOCKS, PORTS, block_of
from tests.live.routed import Routed, start_alone

if TYPE_CHECKING:
    from lab.collectives import Collective
    from tests.conftest import Campaign

CHECK = """set -eu
cd /var/lib/router/next
for folder in random/*; do
    STATE=$PWD/$folder
    export STATE
    : >"$STATE/maintenance.map"
    for ipv6 in '' IPV6=1; do
        if ! said=$(env $ipv6 haproxy -c -f "$STATE/tls.cfg" -f /etc/haproxy/haproxy.cfg -f "$STATE/tcp.cfg" 2>&1); then
            echo "$folder: $said"
        fi
    done
done
rm -r random
"""

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=4).map(".".join)
PORT = st.sampled_from(SERVICE_BLOCKS).flatmap(lambda block: st.integers(block, block + 9))
PUBLIC = st.sampled_from([port for port in PORTS if port not in OWN_PORTS and block_of(port) not in BLOCKS])
NUMBER = st.integers(0, 10**6)


def unique(labels: st.SearchStrategy[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(labels, max_size=most, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw the routes of a collective."""
    http = draw(unique(LABEL | HOST, 30))
    tls = draw(unique(LABEL | HOST, 5))
    ssh = [label for label in draw(unique(LABEL, 5)) if label != "jump"]
    public = draw(st.lists(PUBLIC, max_size=6, unique=True))
    return Table(
        domains=tuple(draw(st.lists(LABEL | HOST, min_size=1, max_size=2, unique=True))),
        http=tuple(Route(label, draw(PORT)) for label in http),
        tcp=tuple(TcpRoute(port, draw(PORT), draw(LABEL), draw(st.booleans())) for port in public),
        tls=tuple(TlsRoute(label, draw(PORT), draw(st.booleans())) for label in tls),
        ssh=tuple(Route(label, draw(PORT)) for label in ssh),
        plain_ssh=draw(st.just(0) | PORT),
        limits=tuple(Limit(label, *(draw(NUMBER) for _ in range(4))) for label in http[:3]),
    )


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Routed:
    """Return a router."""
    return start_alone(collective)


def drawn(number: int) -> list[Table]:
    """Draw many tables, always the same ones."""
    found: list[Table] = []

    @settings(
        max_examples=number,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(tables())
    def draw(table: Table) -> None:
        found.append(table)

    draw()
    return found


def test_haproxy_accepts_what_any_collective_produces(routed: Routed, campaign: Campaign) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number, table in enumerate(drawn(campaign(1000))):
            files = render(table)
            assert files == render(table), "the same table gives the same bytes"
            for name, content in files.items():
                member = tarfile.TarInfo(f"random/{number}/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    import docker

    client = docker.DockerClient(routed.collective.host.docker_host)
    client.containers.get(routed.container).put_archive("/var/lib/router/next", packed.getvalue())
    said = routed.collective.execute("router", "haproxy", "sh", "-s", stdin=CHECK, timeout=600).stdout
    assert said == ""
