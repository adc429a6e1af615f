"""`darkpeak up`: what it starts, what it does not touch, and that it continues after it was stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from lab.commands import run, wait_for
from tests.live.daemons import desired, ids, states

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective

WIKI = ("curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "http://wiki.localhost:7080/")
SLAPD_VERSION = ("dpkg-query", "--show", "--showformat", "${Version}", "slapd")
NOT_STARTED = "nothing to do: "


def test_everything_is_up_and_the_wiki_answers(running: Collective) -> None:
    assert set(states(running).values()) == {"healthy"}
    assert run(WIKI).stdout == "200"


def test_a_second_up_changes_nothing_and_shows_that(running: Collective) -> None:
    before = ids(running)
    done = running.darkpeak("up")
    assert ids(running) == before
    assert done.stdout.startswith(NOT_STARTED)


def test_plain_compose_sees_no_difference(running: Collective) -> None:
    before = ids(running)
    running.compose("chat", "up", "-d", "--wait")
    assert ids(running) == before
    assert running.darkpeak("up").stdout.startswith(NOT_STARTED)


def test_stop_up_restart_down_keep_the_data(running: Collective) -> None:
    running.darkpeak("stop", "chat")
    assert states(running)["chat"] == "stopped"
    running.darkpeak("up", "chat", timeout=180)
    running.darkpeak("restart", "wiki", timeout=180)
    assert "depends on" in running.darkpeak("down", "directory", check=False).stderr
    volume = ["docker", "--host", running.host.docker_host, "volume", "ls", "-q"]
    before = run(volume).stdout
    running.darkpeak("down", "chat", timeout=120)
    assert states(running)["chat"] == "absent"
    assert "chat" not in running.darkpeak("routes", "--check").stdout
    assert run(volume).stdout == before
    running.darkpeak("up", timeout=300)
    assert desired(running)


def test_logs_and_updates_are_of_the_right_service(running: Collective) -> None:
    assert "haproxy-1" in running.darkpeak("logs", "router", "--tail", "5").stdout
    asked = running.darkpeak("updates", "directory", "--json", timeout=300, check=False)
    found = json.loads(asked.stdout)
    assert {item["service"] for item in found["updates"]} <= {"directory"}
    assert found["unknown"] == []


def test_the_packages_that_run_are_listed_with_their_origin(running: Collective) -> None:
    listed = json.loads(running.darkpeak("inventory", "directory", "--json").stdout)
    versions = {item["package"]: item["version"] for item in listed["packages"]}
    assert versions["slapd"] == running.execute("directory", "slapd", *SLAPD_VERSION).stdout
    reasons = {(item["service"], item["why"]) for item in why(running, "slapd")}
    lines = (running.folder("directory") / "slapd/Dockerfile").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if " openssl slapd" in text)
    assert reasons == {("directory", f"services/directory/slapd/Dockerfile:{line} installs it")}
    assert {item["why"] for item in why(running, "dpkg")} == {"it is part of the base image"}
    assert "a dependency: " in " ".join(item["why"] for item in why(running, "libsasl2-2"))
    assert running.darkpeak("why", "no-such-package", check=False).returncode == 1


def test_what_runs_is_valid_in_both_formats(running: Collective, tmp_path: Path) -> None:
    """The validators of the formats' own libraries decide."""
    listed = json.loads(running.darkpeak("inventory", "--json").stdout)
    docker = ("docker", "--host", running.host.docker_host)
    identity = running.compose("directory", "ps", "--quiet", "slapd").stdout.strip()
    image = run([*docker, "inspect", "--format", "{{.Image}}", identity]).stdout.strip()
    text = running.darkpeak("inventory", "--format", "cyclonedx").stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    assert image in {item["version"] for item in components if item["type"] == "container"}
    purls = {item["purl"] for item in components if item["type"] == "library"}
    packages = {(item["package"], item["version"], item["architecture"]) for item in listed["packages"]}
    assert len(purls) == len(packages)
    machine = run(["dpkg", "--print-architecture"]).stdout.strip()
    assert any(
        purl.startswith("pkg:deb/debian/slapd@") and f"arch={machine}&distro=debian-13" in purl for purl in purls
    )
    file = tmp_path / "inventory.spdx.json"
    file.write_text(running.darkpeak("inventory", "--format", "spdx").stdout)
    document = parse_file(str(file))
    assert validate_full_spdx_document(document) == []
    assert {ref.locator for item in document.packages for ref in item.external_references} == purls


def why(running: Collective, package: str) -> list[dict[str, str]]:
    """Return where a package comes from, in each container."""
    found: list[dict[str, str]] = json.loads(running.darkpeak("why", package, "--json").stdout)["reasons"]
    return found


def test_a_killed_router_starts_again_unchanged(running: Collective) -> None:
    container = running.compose("router", "ps", "-q", "haproxy").stdout.strip()
    before = running.darkpeak("routes").stdout
    docker = ["docker", "--host", running.host.docker_host]
    run([*docker, "kill", "--signal", "KILL", container])
    running.darkpeak("up", timeout=180)
    assert running.darkpeak("routes").stdout == before
    assert desired(running)
    wait_for("the wiki", lambda: run(WIKI, check=False).stdout == "200")


def test_after_a_killed_engine_everything_is_unchanged(running: Collective) -> None:
    running.host.kill_engine()
    refused = running.darkpeak("up", check=False)
    assert refused.returncode == 3
    assert refused.stderr.startswith("error: no Docker engine answers")
    running.host.start_engine()
    running.darkpeak("up", timeout=300)
    assert desired(running)
    wait_for("the wiki", lambda: run(WIKI, check=False).stdout == "200")


@pytest.mark.parametrize("broken", ["FROM debian:trixie\nRUN false\n"], ids=["build"])
def test_a_failed_build_does_not_touch_what_runs(running: Collective, broken: str) -> None:
    path = running.folder("wiki") / "webserver" / "Dockerfile"
    kept = path.read_text()
    before = ids(running)
    try:
        path.write_text(broken + "HEALTHCHECK CMD true\nEXPOSE 80\n")
        failed = running.darkpeak("up", check=False, timeout=300)
    finally:
        path.write_text(kept)
    assert failed.returncode == 3
    assert "wiki was not built" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert ids(running) == before
    assert run(WIKI).stdout == "200"
    running.darkpeak("up", timeout=300)
    assert desired(running)
