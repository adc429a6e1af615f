"""Which images of registries a service uses, and with which digest."""

from pathlib import Path

import pytest

from darkpeak.actions.image_updates import Used, list_images
from darkpeak.collective.dockerfile import Dockerfile
from darkpeak.collective.model import Collective, Container, Place, Service
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.packages.container import CannotTell
from darkpeak.packages.references import Reference
from darkpeak.plan.observed import Observed, Running

OLD, NEW = f"sha256:{'0a' * 32}", f"sha256:{'0b' * 32}"
AT = Place("services/wiki/docker-compose.yml", 30)
NGINX = Reference("docker.io", "library/nginx", "1.27", OLD)


class Played(Engine):
    """An engine on which one container runs, whose image has names with digests."""

    def __init__(self, names: tuple[str, ...] | None) -> None:
        self.names = names

    def observe(self) -> Observed:
        """Return the container, if it runs."""
        running = Running("1", "darkpeak-wiki", "web", 1, "wiki-web-1", "running", image="sha256:1")
        return Observed((running,) if self.names is not None else ())

    def registry_digests(self, image: str) -> list[str]:
        """Return the names of the image."""
        assert image == "sha256:1"
        return list(self.names or ())


def used(container: Container, names: tuple[str, ...] | None = ()) -> list[Used]:
    service = Service("wiki", Path(), AT, project="darkpeak-wiki", containers=(container,))
    collective = Collective(Path(), "Peak", "localhost", services=(service,))
    return list(list_images(Target(collective, Played(names), (service,))))


def built(*bases: str) -> Container:
    made = Dockerfile("web/Dockerfile", "".join(f"{it}\n" for it in bases))
    return Container("web", AT, build="web", image="darkpeak-wiki-web", dockerfile=made)


def test_an_image_built_upon_others_uses_those_with_a_digest_and_apt_knows_debian() -> None:
    pinned = f"FROM nginx:1.27@{OLD} AS files"
    assert used(built("FROM debian:trixie", pinned, "FROM files")) == [Used("wiki", "web", NGINX)]
    debian = Reference("docker.io", "library/debian", "trixie", OLD)
    assert used(Container("web", AT, image="debian:trixie")) == []
    assert used(built(f"FROM debian:trixie@{OLD}")) == [Used("wiki", "web", debian)]


@pytest.mark.parametrize(
    ("names", "digests"),
    [
        ((f"nginx@{OLD}",), [OLD]),
        ((f"other@{NEW}", "<none>@<none>", f"docker.io/library/nginx@{OLD}", f"nginx@{NEW}"), [OLD, NEW]),
    ],
)
def test_an_image_with_only_a_tag_has_the_digests_of_the_one_that_runs(names: tuple[str, ...], digests: str) -> None:
    (found,) = used(Container("web", AT, image="nginx:1.27"), names)
    assert isinstance(found.image, Reference)
    assert [found.image.digest, *found.others] == list(digests)


def why(container: Container, names: tuple[str, ...] | None = ()) -> str:
    (found,) = used(container, names)
    assert isinstance(found.image, CannotTell)
    return str(found.image)


def test_what_cannot_be_known_says_where_and_what_to_write() -> None:
    assert why(built(f"FROM nginx@{OLD}")).startswith("services/wiki/web/Dockerfile:1 names no tag beside the digest")
    assert why(built("FROM nginx:1.27")).startswith("services/wiki/web/Dockerfile:1 names no digest of nginx:1.27")
    assert why(built("FROM $IMAGE")) == "$IMAGE is no name of an image (services/wiki/web/Dockerfile:1)"
    named = Container("web", AT, image="nginx:1.27")
    assert why(named, None) == "it does not run"
    assert why(named, (f"other@{OLD}",)) == "the engine does not know which nginx:1.27 of its registry it has"
    assert "names no tag" in why(Container("web", AT, image=f"nginx@{OLD}"), None)
    assert "is no name" in why(Container("web", AT, image="NGINX"), None)
