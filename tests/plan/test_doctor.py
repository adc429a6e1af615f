"""Doctor's checks, as a table: for each changed fact, one check is not ok."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from darkpeak import collective
from darkpeak.collective import Collective
from darkpeak.plan.doctor import DEFAULT_POOLS, evaluate, version
from darkpeak.plan.facts import Facts, HostMachine, Network, Published
from darkpeak.result import Verdict
from darkpeak.vocabulary import GIB, MIB
from tests.making import DIRECTORY, edit, write_collective, write_service

MACHINE = HostMachine(20 * GIB, 25 * GIB, 90, GIB, frozenset({22}), ("192.0.2.0/24",))
SOUND = Facts(
    daemon="ssh://ops@server",
    compose="2.26.1",
    engine="20.10.24+dfsg1",
    memory_total=2 * GIB,
    networks=(Network("bridge", "", ("172.17.0.0/16",)),),
    machine=MACHINE,
    proxy=False,
    resolved=("127.0.0.1",),
)
LDAP = (Published("darkpeak-directory", "10.60.20.2", 389),)
FULL = tuple(Network(base, "other", (base,)) for base, size in DEFAULT_POOLS if size == 16) + tuple(
    Network(f"n{number}", "other", (f"192.168.{number * 16}.0/20",)) for number in range(15)
)


@pytest.fixture
def files(tmp_path: Path) -> Collective:
    write_collective(tmp_path)
    write_service(tmp_path, "router", DIRECTORY.replace("directory", "router").replace("20", "00"), "slapd")
    return collective.read(tmp_path)[0]


def test_a_sound_daemon(files: Collective) -> None:
    checks = evaluate(SOUND, files)
    assert {check.verdict for check in checks} == {Verdict.OK}
    assert [check.check for check in checks] == [
        *(
            "compose",
            "daemon",
            "disk",
            "memory",
            "clock",
            "userland-proxy",
            "live-restore",
            "neighbours",
            "networks",
            "ports",
            "subnets",
            "names",
        )
    ]


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    # changed facts of the daemon, changed facts of its machine, the check, its verdict
    "no compose": ({"compose": ""}, {}, "compose", "bad"),
    "old compose": ({"compose": "2.19.1"}, {}, "compose", "bad"),
    "newer compose": ({"compose": "v5.0.0"}, {}, "compose", "ok"),
    "old engine": ({"engine": "19.03.15"}, {}, "daemon", "bad"),
    "newer engine": ({"engine": "29.1.0"}, {}, "daemon", "ok"),
    "open to all": ({"open_to_all": True}, {}, "access", "bad"),
    "disk full": ({}, {"disk_free": 900 * MIB}, "disk", "bad"),
    "disk nearly full": ({}, {"disk_free": 2 * GIB}, "disk", "warn"),
    "no inodes": ({}, {"inodes_free": 2}, "disk", "warn"),
    "no memory": ({}, {"memory_free": 50 * MIB}, "memory", "bad"),
    "little memory": ({}, {"memory_free": 200 * MIB}, "memory", "warn"),
    "a small machine": ({"memory_total": 512 * MIB}, {"memory_free": 300 * MIB}, "memory", "warn"),
    "a little ahead": ({"clock_ahead": 7.0}, {}, "clock", "warn"),
    "an hour behind": ({"clock_ahead": -3600.0}, {}, "clock", "bad"),
    "a second ahead": ({"clock_ahead": 1.0}, {}, "clock", "ok"),
    "proxy": ({"proxy": True}, {}, "userland-proxy", "warn"),
    "proxy not known": ({"proxy": None, "unknown": "why"}, {}, "userland-proxy", "warn"),
    "containers end with the engine": ({"live_restore": False}, {}, "live-restore", "warn"),
    "so they do in a swarm": ({"live_restore": False, "swarm": True}, {}, "live-restore", "ok"),
    "containers are open to neighbours": ({"published": LDAP, "guarded": False}, {}, "neighbours", "warn"),
    "a firewall of ours": ({"published": LDAP, "guarded": True}, {}, "neighbours", "ok"),
    "an engine that is closed": ({"published": LDAP, "guarded": False, "engine": "28.0.1"}, {}, "neighbours", "ok"),
    "the last engine that is open": (
        {"published": LDAP, "guarded": False, "engine": "27.5.1"},
        {},
        "neighbours",
        "warn",
    ),
    "nothing is published": ({"guarded": False}, {}, "neighbours", "ok"),
    "firewall not known": ({"published": LDAP, "guarded": None, "unknown": "why"}, {}, "neighbours", "warn"),
    "pools used up": ({"networks": FULL}, {}, "networks", "warn"),
    "small pools of its own": ({"pools": (("172.17.0.0/16", 16),)}, {}, "networks", "warn"),
    "large pools of its own": ({"pools": (("10.200.0.0/16", 24),)}, {}, "networks", "ok"),
    "router's port taken": ({}, {"listening": frozenset({7080})}, "ports", "bad"),
    "router's port its own": ({"present": frozenset({"router"})}, {"listening": frozenset({7080})}, "ports", "ok"),
    "service's port taken": ({}, {"listening": frozenset({6011})}, "ports", "bad"),
    "service's port its own": ({"present": frozenset({"wiki"})}, {"listening": frozenset({6011})}, "ports", "ok"),
    "subnet taken": ({"networks": (Network("vpn", "vpn", ("10.60.0.0/16",)),)}, {}, "subnets", "bad"),
    "subnet our own": ({"networks": (Network("n", "darkpeak-wiki", ("10.60.10.0/24",)),)}, {}, "subnets", "ok"),
    "subnet of IPv6": ({"networks": (Network("vpn", "vpn", ("fd00::/8",)),)}, {}, "subnets", "ok"),
    "subnet behind a route": ({}, {"routes": ("10.0.0.0/8",)}, "subnets", "warn"),
    "names of localhost": ({"resolved": ()}, {}, "names", "warn"),
}


@pytest.mark.parametrize(("daemon", "machine", "name", "verdict"), CASES.values(), ids=CASES)
def test_each_changed_fact_fails_one_check(
    files: Collective, daemon: dict[str, Any], machine: dict[str, Any], name: str, verdict: str
) -> None:
    facts = replace(SOUND, machine=replace(MACHINE, **machine), **daemon)
    checks = evaluate(facts, files)
    assert [(check.check, str(check.verdict)) for check in checks if check.check == name] == [(name, verdict)]
    assert [check.check for check in checks if check.verdict is not Verdict.OK and check.check != name] == []
    assert all(check.hint for check in checks if check.verdict is not Verdict.OK)


def test_a_name_that_does_not_resolve_is_bad_except_localhost(tmp_path: Path) -> None:
    edit(write_collective(tmp_path), "collective.toml", '"localhost"', '"peak.test"')
    names = evaluate(replace(SOUND, resolved=()), collective.read(tmp_path)[0])[-1]
    assert (names.check, names.verdict) == ("names", Verdict.BAD)


def test_a_service_without_a_subnet_needs_room_in_the_pools(tmp_path: Path) -> None:
    edit(
        write_collective(tmp_path),
        "services/wiki/docker-compose.yml",
        "{ipam: {config: [{subnet: 10.60.10.0/24}]}}",
        "{}",
    )
    facts = replace(SOUND, pools=(("172.17.0.0/16", 16),))
    checks = evaluate(facts, collective.read(tmp_path)[0])
    assert [(check.what, check.verdict) for check in checks if check.check == "networks"] == [
        ("room for 0 more networks without a subnet of their own, but these services need one: wiki", Verdict.BAD)
    ]


def test_without_facts_about_the_machine_the_cause_is_shown(files: Collective) -> None:
    checks = evaluate(replace(SOUND, machine=None, unknown="the daemon has no image"), files)
    warned = {check.check: check.what for check in checks if check.verdict is Verdict.WARN}
    assert warned == dict.fromkeys(("disk", "ports"), "unknown: the daemon has no image")


def test_for_a_silent_daemon_there_is_only_one_check(files: Collective) -> None:
    facts = Facts("ssh://ops@server", "2.26.1", failure="no way in", failure_hint="ssh -v")
    checks = evaluate(facts, files)
    assert [(check.check, str(check.verdict)) for check in checks] == [("compose", "ok"), ("daemon", "bad")]


def test_without_a_collective_only_the_daemon_is_checked() -> None:
    checks = [check.check for check in evaluate(SOUND, None)]
    first = ["compose", "daemon", "disk", "memory", "clock"]
    assert checks == [*first, "userland-proxy", "live-restore", "neighbours", "networks"]


def test_versions() -> None:
    assert [version(text) for text in ("20.10.24+dfsg1", "v2.26.1-4", "29.1.0-rc.1", "dev")] == [
        (20, 10, 24),
        (2, 26, 1),
        (29, 1, 0),
        (),
    ]


def test_what_neighbours_can_reach_is_named_by_service_and_address(files: Collective) -> None:
    published = (*LDAP, Published("darkpeak-dns", "10.60.50.2", 53, "udp"), Published("", "[fd00::2]", 80))
    checks = evaluate(replace(SOUND, published=published, guarded=False), files)
    found = next(check for check in checks if check.check == "neighbours")
    assert found.what == (
        "other machines in its network can reach, past the router: "
        "directory 10.60.20.2:389, darkpeak-dns 10.60.50.2:53/udp, [fd00::2]:80"
    )
    assert "darkpeak host prepare" in found.hint
