"""`darkpeak base`: the same date and archive give the same image, which says what it is made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from darkpeak.engine import base
from darkpeak.engine.base_image import Made
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.vocabulary import SUITE
from lab.commands import run

if TYPE_CHECKING:
    from lab.hosts import Host

EPOCH = 1_764_201_600  # 27 November 2025
IMAGE = f"debian:{SUITE}"


@pytest.mark.long
def test_the_same_date_gives_the_same_image_twice(seeded: Host) -> None:
    docker, engine = ("docker", "--host", seeded.docker_host), Engine(seeded.docker_host)
    made = Made(SUITE, base.architecture(engine), EPOCH, base.find_sources(SUITE))
    kept, found = run([*docker, "image", "inspect", "--format", "{{.Id}}", IMAGE]).stdout.strip(), []
    try:
        for _ in range(2):
            base.build(engine, made)
            found.append(json.loads(run([*docker, "image", "inspect", IMAGE]).stdout)[0])
        said = run([*docker, "run", "--rm", IMAGE, "sh", "-c", "dpkg --audit && dpkg --print-architecture"]).stdout
    finally:
        run([*docker, "tag", kept, IMAGE])
    again, other = found
    assert (again["Id"], again["RootFS"]) == (other["Id"], other["RootFS"])
    assert again["Created"].startswith("2025-11-27T00:00:00")
    assert again["Config"]["Labels"]["darkpeak.base.date"] == "2025-11-27"
    assert f"{SUITE}-security main" in again["Config"]["Labels"]["darkpeak.base.sources"]
    assert said.strip() == made.architecture


def test_another_architecture_without_an_emulator_is_refused_with_what_is_missing(seeded: Host) -> None:
    engine = Engine(seeded.docker_host)
    before = engine.image_names("debian")
    with pytest.raises(SystemFailure, match=f"could not build {IMAGE} for s390x") as refused:
        base.build(engine, Made(SUITE, "s390x", EPOCH, ()))
    assert "arch-test" in refused.value.hint
    assert engine.image_names("debian") == before
