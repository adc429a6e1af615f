"""Images with a digest, and a real registry that has a newer one under their tag, wants tokens, or is gone."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from darkpeak.packages.apt import add_file
from darkpeak.packages.container import CannotTell
from darkpeak.packages.references import read_reference
from darkpeak.packages.registry import find_digest
from lab import toy
from lab.commands import run
from tests.live.registry import LOGIN, Registry, Tokens

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective
    from lab.hosts import Host

IMAGE = "peak/page"


def push(host: Host, folder: Path, registry: Registry, text: str) -> str:
    """Push an image with one file as IMAGE:1; return its digest."""
    layer, name = folder / "layer.tar", f"{registry.address}/{IMAGE}:1"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        add_file(archive, "page", text.encode())
    layer.write_bytes(content.getvalue())
    docker = ("docker", "--host", host.docker_host)
    run([*docker, "import", "--change", 'CMD ["/page"]', str(layer), name])
    run([*docker, "push", "--quiet", name])
    names = json.loads(run([*docker, "image", "inspect", "--format", "{{json .RepoDigests}}", name]).stdout)
    return str(read_reference(names[0]).digest)


def test_another_image_under_the_same_tag_is_an_update(collective: Collective, tmp_path: Path) -> None:
    (service,) = toy.add_many(collective, 1)
    registry = Registry(tmp_path)
    image = f"{registry.address}/{IMAGE}:1"
    with registry.serve():
        old = push(collective.host, tmp_path, registry, "old")
        collective.compose(service, "up", "--detach", "--build", timeout=600)
        dockerfile = collective.folder(service) / "web/Dockerfile"
        dockerfile.write_text(f"FROM {image}@{old} AS page\n{dockerfile.read_text()}")
        assert images(collective, service) == []
        new = push(collective.host, tmp_path, registry, "new")
        assert images(collective, service) == [f"{service} web {image} {old} {new} image"]
    gone = collective.darkpeak("updates", service, check=False, timeout=300)
    assert gone.returncode == 3
    assert f"because the registry {registry.address} does not answer" in gone.stderr


def images(collective: Collective, service: str) -> list[str]:
    """Return the lines of `updates` about images."""
    asked = collective.darkpeak("updates", service, check=False, timeout=300)
    assert asked.returncode in (0, 1), asked.stderr
    return [line for line in asked.stdout.splitlines() if line.endswith(" image")]


def test_a_registry_with_tokens_answers_who_has_logged_in(
    seeded: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    registry, tokens = Registry(tmp_path), Tokens(tmp_path)
    reference = read_reference(f"{registry.address}/{IMAGE}:1")
    with registry.serve():
        digest = push(seeded, tmp_path, registry, "page")
        assert find_digest(reference) == digest
    with tokens.served(IMAGE) as realm, registry.serve(realm, tokens.bundle):
        with pytest.raises(CannotTell, match=f"wants a login for {registry.address}/{IMAGE}:1"):
            find_digest(reference)
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": LOGIN}}}))
        assert find_digest(reference) == digest
