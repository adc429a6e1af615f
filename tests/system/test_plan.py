"""The steps from what was found to what is wanted, as tables."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from darkpeak import collective
from darkpeak.errors import UsageError
from darkpeak.system.base import DAEMON, DAEMON_FILE, FIREWALL, Wanted, make_files, make_wanted, merge, packages_of
from darkpeak.system.plan import Found, make_steps, read_found
from tests.making import edit, write_collective

WANTED = Wanted((80, 443), ("ssh-ed25519 AAAA ada",))
READY = Found(
    suite="bookworm",
    packages=frozenset(packages_of("bookworm")),
    files=tuple((file.path, file.text, file.mode) for file in make_files(WANTED, (22,))),
    swap=1 << 20,
    disk=10 << 20,
    login=True,
    running=frozenset({"docker", FIREWALL}),
)


def test_a_prepared_machine_needs_no_steps() -> None:
    assert make_steps(READY, WANTED) == ()


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a package": ({"packages": READY.packages - {"nftables"}}, ["install nftables: not installed"]),
    "another suite": ({"suite": "trixie"}, ["install docker-cli: not installed"]),
    "Ubuntu, whose engine brings the client": ({"suite": "noble", "distribution": "ubuntu"}, []),
    "the login": ({"login": False}, ["make the login docker: admins use Docker with it"]),
    "swap": ({"swap": 0}, ["make /swapfile, 1024 MiB: there is no swap"]),
    "swap, but no room": ({"swap": 0, "disk": 2 << 20}, []),
    "the engine": ({"running": frozenset({FIREWALL})}, ["start docker, now and at each boot: it does not run"]),
    "the port of its ssh server": (
        {"ssh_ports": (22, 2022)},
        [
            "write /etc/darkpeak/firewall.nft (open ports: 22, 80, 443, 2022): it differs",
            f"reload {FIREWALL}: its settings have changed",
        ],
    ),
}


@pytest.mark.parametrize(("changed", "expected"), CASES.values(), ids=CASES.keys())
def test_each_missing_thing_is_one_step_with_its_cause(changed: dict[str, Any], expected: list[str]) -> None:
    assert [f"{step.what}: {step.cause}" for step in make_steps(replace(READY, **changed), WANTED)] == expected


def test_settings_come_before_the_packages_that_read_them() -> None:
    steps = [step.what.split()[0] for step in make_steps(Found("trixie", disk=10 << 20), WANTED)]
    assert steps == ["make", *["write"] * 7, "install", "make", "start", "start", "reload"]


def test_an_admins_own_settings_of_the_engine_stay() -> None:
    merged = json.loads(merge('{"debug": true, "userland-proxy": true}'))
    assert merged == {"debug": True, **DAEMON}
    assert json.loads(merge('{"live-restore": false}')) == {**DAEMON, "live-restore": False}
    written = json.dumps({**DAEMON, "debug": True})
    assert merge(written) == written


def test_an_engine_file_that_is_not_json_is_not_overwritten() -> None:
    found = replace(READY, files=((DAEMON_FILE, "{", 0o644),))
    with pytest.raises(UsageError, match="the file is not JSON"):
        make_steps(found, WANTED)


def test_without_keys_there_is_no_login() -> None:
    steps = [step.what for step in make_steps(Found("trixie"), Wanted((80,)))]
    assert not [what for what in steps if "login" in what or "sshd" in what]


def test_the_router_and_the_routes_own_ports_are_open(tmp_path: Path) -> None:
    write_collective(tmp_path)
    edit(tmp_path, "services/wiki/docker-compose.yml", "    http: 6010", '    http: 6010\n    tcp: {"5222": 6011}')
    edit(tmp_path, "collective.toml", "[admins.ada]\n", '[admins.ada]\nssh = ["ssh-ed25519 AAAA"]\n')
    wanted = make_wanted(collective.read(tmp_path)[0])
    assert wanted.ports == (80, 443, 5222, 7022, 7080, 7443)
    assert wanted.keys == ("ssh-ed25519 AAAA ada",)


@pytest.mark.parametrize("system", ["debian", "ubuntu"])
def test_the_output_of_look_is_read(system: str) -> None:
    said = f"=id {system}\n=suite trixie\nnoise\n=package docker.io\n=file /a 644 eA==\n=file /b 600 \n"
    found = read_found(said + "=port 22\n=swap 1024\n=disk 2048\n=login yes\n=runs docker\n")
    assert found == Found(
        *("trixie", system, frozenset({"docker.io"}), (("/a", "x", 0o644), ("/b", "", 0o600)), (22,), 1024, 2048, True),
        frozenset({"docker"}),
    )


def test_another_system_is_refused() -> None:
    with pytest.raises(UsageError, match="the machine runs fedora"):
        read_found("=id fedora\n")
