"""Which services are upgraded, and what keeps a package back."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak.actions.updates import Unknown, Update
from darkpeak.actions.upgrade import Upgraded, choose, find_reasons, holding_line
from darkpeak.collective.dockerfile import Dockerfile
from darkpeak.collective.model import Collective, Container, Place, Service

LATE = Update("wiki", "webserver", "nginx", "1.26-3", "1.26-4", security=False)
URGENT = Update("chat", "prosody", "openssl", "3.5.1-1", "3.5.1-1+deb13u1", security=True)


def test_with_security_only_services_are_chosen_and_not_packages() -> None:
    also = replace(LATE, service="chat", container="prosody")
    assert choose([LATE, URGENT, also], security=False) == (LATE, URGENT, also)
    assert choose([LATE, URGENT, also], security=True) == (URGENT, also)
    assert choose([LATE], security=True) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM debian:trixie\nRUN apt-get install -y nginx=1.26-3\n", 2),
        ("FROM debian:trixie\nRUN apt-get install -y \\\n    curl \\\n    nginx=1.26-3 \\\n    git\n", 4),
        ("FROM debian:trixie\nRUN apt-get install -y nginx:amd64=1.26-3\n", 2),
        ("FROM debian:trixie\nRUN apt-get install -y 'nginx=1.26*'\n", 2),
        ("FROM debian:trixie\nRUN apt-mark hold curl nginx\n", 2),
        ('FROM debian:trixie\nRUN ["apt-mark", "hold", "nginx"]\n', 2),
        ("FROM debian:trixie\nRUN apt-get update && apt-mark hold \\\n    curl \\\n    nginx\n", 2),
        ("FROM debian:trixie\n# not nginx=1.26-3\nRUN true\n", None),
        ("FROM debian:trixie\nRUN apt-get install -y nginx\n", None),
        ("FROM debian:trixie\nRUN apt-get install -y nginx-common=1.26-3 libnginx=1\n", None),
        ("", None),
    ],
)
def test_the_line_that_keeps_a_package_back(text: str, line: int | None) -> None:
    assert holding_line(text, "nginx") == line


def made(build: str | None, text: str = "") -> Collective:
    """Return a collective whose wiki has one container, built from a Dockerfile with this text."""
    at = Place("services/wiki/docker-compose.yml", 30)
    recipe = Dockerfile(f"{build}/Dockerfile", text) if build else Dockerfile()
    container = Container("webserver", at, build=build, image="nginx:1.26", dockerfile=recipe)
    return Collective(Path(), "Peak", "localhost", services=(Service("wiki", Path(), at, containers=(container,)),))


@pytest.mark.parametrize(
    ("collective", "why"),
    [
        (
            made("webserver", "FROM debian:trixie\nRUN apt-mark hold nginx\n"),
            "services/wiki/webserver/Dockerfile:2 keeps",
        ),
        (made("webserver", "FROM debian:trixie\n"), "no line of services/wiki/webserver/Dockerfile upgrades it"),
        (
            made("webserver", "FROM debian\nRUN apt-get update && apt-get upgrade --yes\n"),
            "services/wiki/webserver/Dockerfile:2 leaves it as it is",
        ),
        (made(None), "its image is not built here: name a newer one at services/wiki/docker-compose.yml:30"),
    ],
    ids=["held", "not upgraded", "upgraded without it", "an image of others"],
)
def test_what_is_still_out_of_date_has_its_reason(collective: Collective, why: str) -> None:
    [kept] = find_reasons(collective, [LATE])
    assert kept.why.startswith(why)
    assert kept.line().startswith("wiki webserver nginx 1.26-3 1.26-4: ")


def test_nothing_to_upgrade_is_said_only_if_that_is_known() -> None:
    assert list(Upgraded("", ()).lines()) == ["nothing to upgrade"]
    assert list(Upgraded("", (), unknown=(Unknown("wiki", "webserver", "it does not run"),)).lines()) == []
    assert list(Upgraded("", (LATE,)).lines()) == [LATE.line()], "its image is not built here"


def test_packages_of_a_service_are_counted() -> None:
    other = replace(LATE, package="curl")
    [kept] = find_reasons(made("webserver"), [other])
    assert Upgraded("", (LATE, other, URGENT), kept=(kept,)).words("wiki") == "1 of 2 packages upgraded"
    assert Upgraded("", (LATE,)).words("wiki") == "1 of 1 package upgraded"
