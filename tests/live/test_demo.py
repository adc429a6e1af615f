"""bin/demo refuses, and touches nothing, if it would add members to another directory."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from darkpeak.collective.identity import with_id
from lab.collectives import TOP
from lab.commands import run
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.collectives import Collective


@pytest.fixture
def checkout(collective: Collective) -> Path:
    """Return the collective as a checkout with an id, as `up` leaves it, with bin/, without a virtual environment."""
    toml = collective.top / "collective.toml"
    toml.write_text(with_id(toml.read_text(), "aaaa"))
    shutil.copytree(TOP / "bin", collective.top / "bin", dirs_exist_ok=True)
    return collective.top


def refusal(checkout: Path, environment: Mapping[str, str]) -> str:
    """Return why bin/demo refuses."""
    refused = run([str(checkout / "bin/demo")], env=environment, check=False)
    assert refused.returncode == 2, refused.stderr
    assert sorted(path.name for path in checkout.iterdir()) == ["bin", "collective.toml", "services"]
    return refused.stderr


def test_an_existing_directory_gets_no_members(collective: Collective, checkout: Path) -> None:
    collective.compose("router", "up", "-d", "--build", "--wait", timeout=600)
    collective.compose("directory", "up", "-d", "--build", "--wait", timeout=600)
    said = refusal(checkout, collective.environment)
    assert "has a directory of members that this checkout's demo did not make" in said
    assert json.loads(collective.darkpeak("member", "list", "--json").stdout) == []


def test_an_engine_on_another_machine_is_not_touched(collective: Collective, checkout: Path, tmp_path: Path) -> None:
    """Named by its URI, by a docker context, and by a socket that leads there."""
    with Host() as other:
        uri = other.start_sshd()
        elsewhere = {**collective.environment, "DOCKER_HOST": uri}
        assert f"the engine at {uri} is on another machine" in refusal(checkout, elsewhere)

        context = {**collective.environment, "DOCKER_HOST": "", "DOCKER_CONFIG": str(tmp_path)}
        run(["docker", "context", "create", "far", "--docker", f"host={uri}"], env=context)
        assert f"the engine at {uri} is on another machine" in refusal(checkout, {**context, "DOCKER_CONTEXT": "far"})

        socket = {**collective.environment, "DOCKER_HOST": other.docker_host}
        assert f"the engine runs on another machine, {other.slot.name}" in refusal(checkout, socket)
        assert run(["docker", "--host", other.docker_host, "ps", "-aq"]).stdout == ""
