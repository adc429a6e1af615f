"""What a stack cannot keep is a finding at its line; what it can is none, and off the swarm none of it is."""

from pathlib import Path

import pytest

from darkpeak import lint
from darkpeak.deploy.check import check_files
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
TOML = "collective.toml"
HOST = '\n[hosts.cluster]\ndocker = "ssh://ops@server"\nswarm = true\nservices = ["wiki"]\n'
LAST = "    restart: unless-stopped\n"
SCALED = "    deploy: {replicas: 1}\n"
VOLUMES = '    volumes: ["data:/var/lib/wiki"]\n'
NETWORKS = "    networks: [default, directory]\n"
SHARED = "  directory: {name: darkpeak-directory, external: true}\n"
IGNORED = "    # darkpeak: ignore[stack-loses] because each node sets it\n"
PORTS = '"127.0.0.1:6010-6011:80"'
OWN = "networks: {default: {ipam"

# A text, the new one; the rule and the line of the finding, or nothing.
CASES = {
    "as it is": ("", "", ""),
    "the host's network": (LAST, f"{LAST}    network_mode: bridge\n", "17 stack-key"),
    "privileges": (LAST, f"{LAST}    privileged: true\n", "17 stack-key"),
    "a name": (LAST, f"{LAST}    container_name: wiki\n", "17 stack-key"),
    "a device": (LAST, f"{LAST}    devices: [/dev/net/tun]\n", "17 stack-key"),
    "an own key": (LAST, f"{LAST}    x-own: 1\n", ""),
    "what is kept": (LAST, f"{LAST}    cap_drop: [ALL]\n    init: true\n    mem_limit: 64m\n    pids_limit: 9\n", ""),
    "an address": (LAST, f"{LAST}    networks: {{default: {{ipv4_address: 10.60.10.9}}}}\n", "17 stack-key"),
    "another name": (LAST, f"{LAST}    networks: {{default: {{aliases: [site]}}}}\n", ""),
    "one on each node": (SCALED, "    deploy: {replicas: 1, mode: global}\n", "14 stack-key"),
    "an address of the service": (SCALED, "    deploy: {replicas: 1, endpoint_mode: vip}\n", "14 stack-key"),
    "the one way that works": (SCALED, "    deploy: {replicas: 1, endpoint_mode: dnsrr}\n", ""),
    "an order": (LAST, f"{LAST}    depends_on: []\n", "17 stack-loses"),
    "no new privileges": (LAST, f'{LAST}    security_opt: ["no-new-privileges:true"]\n', "17 stack-loses"),
    "somebody thought of it": (LAST, f"{LAST}{IGNORED}    security_opt: ['no-new-privileges:true']\n", ""),
    "two with one volume": (SCALED, "    deploy: {replicas: 2}\n", "11 stack-data"),
    "two without one": (SCALED + VOLUMES, "    deploy: {replicas: 2}\n", ""),
    "udp": (PORTS, '"127.0.0.1:6010:80/udp"', "13 stack-port"),
    "one port": (PORTS, '"127.0.0.1:6010:80"', ""),
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a collective whose wiki is a stack."""
    write_collective(tmp_path)
    edit(tmp_path, FILE, NETWORKS, "")
    edit(tmp_path, FILE, SHARED, "")
    edit(tmp_path, FILE, VOLUMES, SCALED + VOLUMES)
    with (tmp_path / TOML).open("a") as file:
        file.write(HOST)
    return tmp_path


def found(root: Path) -> list[str]:
    """Return the findings of this family, as line and rule."""
    ours = (item for item in check_files(root).findings if item.rule.startswith("stack-"))
    return [f"{item.at.line} {item.rule}" for item in ours]


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_what_a_stack_cannot_keep_is_found(root: Path, old: str, new: str, expected: str) -> None:
    edit(root, FILE, old, new) if old else None
    assert found(root) == ([expected] if expected else [])


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_none_of_it_is_found_off_the_swarm(root: Path, old: str, new: str, expected: str) -> None:
    edit(root, FILE, old, new) if old else None
    edit(root, TOML, "swarm = true\n", "")
    assert found(root) == []
    assert isinstance(expected, str)


def test_a_stack_shares_no_network(root: Path) -> None:
    edit(root, FILE, LAST, LAST + NETWORKS)
    edit(root, FILE, "volumes:\n  data", f"{SHARED}volumes:\n  data")
    assert found(root) == ["20 stack-network"]


def test_a_service_without_replicas_stays_with_compose(root: Path) -> None:
    edit(root, FILE, SCALED, "    network_mode: bridge\n")
    assert found(root) == []


def test_replicas_need_a_swarm(root: Path) -> None:
    edit(root, FILE, SCALED + VOLUMES, "    deploy: {replicas: 2}\n")
    assert "replicas" not in {item.rule for item in check_files(root).findings}
    edit(root, TOML, "swarm = true\n", "")
    assert "replicas" in {item.rule for item in check_files(root).findings}


def test_only_what_is_lost_can_be_ignored() -> None:
    ours = [rule for name, rule in lint.RULES.items() if name.startswith("stack-")]
    assert [rule.id for rule in ours if rule.can_be_ignored] == ["stack-loses"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ('nodes = ["ssh://ops@second"]', ""),
        ("nodes = 3", "wrong-type"),
        ('nodes = ["second"]', "uri"),
        ('swarm = "yes"', "wrong-type"),
    ],
)
def test_what_is_written_about_a_swarm_is_checked(root: Path, written: str, rule: str) -> None:
    lines = f"{written}\n" if written.startswith("swarm") else f"swarm = true\n{written}\n"
    edit(root, TOML, "swarm = true\n", lines)
    about = {item.rule for item in check_files(root).findings if item.at.file == TOML}
    assert about == ({rule} if rule else set())


def test_only_a_swarm_has_nodes(root: Path) -> None:
    edit(root, TOML, "swarm = true\n", 'nodes = ["ssh://ops@second"]\n')
    assert "nodes-without-swarm" in {item.rule for item in check_files(root).findings}
