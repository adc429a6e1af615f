"""Where a package comes from: the Dockerfile's own words, the base image, or the shortest chain of needs."""

import pytest

from darkpeak.actions.inventory import describe
from darkpeak.packages.installed import Installed, Package
from darkpeak.packages.origin import Origin, asked_for, find_origin

DOCKERFILE = """\
FROM debian:trixie
# apt-get install never
RUN apt-get update && apt-get upgrade -y \\
 && apt-get install -y --no-install-recommends \\
    # a comment between
    lighttpd php-fpm=8.4 \\
    libx:i386 && rm -rf /var/lib/apt/lists/*
RUN DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata; echo apt install nothing; apt install cron/stable
COPY install.sh /
"""
PACKAGES = Installed(
    (
        Package("base-files", "1", "all", depends=("awk",), basic=True),
        Package("mawk", "1", "amd64", depends=("libm",), provides=("awk",)),
        Package("libm", "1", "amd64"),
        Package("lighttpd", "1", "amd64", depends=("libpcre", "libm", "spawn")),
        Package("libpcre", "1", "amd64", depends=("libdeep",)),
        Package("spawn", "1", "amd64", depends=("lighttpd",)),
        Package("libdeep", "1", "amd64"),
        Package("stray", "1", "amd64"),
    )
)


def test_the_packages_of_a_dockerfile_are_found_with_their_lines() -> None:
    assert asked_for(DOCKERFILE) == {"lighttpd": 6, "php-fpm": 6, "libx": 7, "tzdata": 8, "cron": 8}
    assert asked_for("") == {}


@pytest.mark.parametrize(
    ("package", "origin"),
    [
        ("lighttpd", Origin(line=6)),
        ("mawk", Origin(base=True)),
        ("libm", Origin(base=True)),
        ("libdeep", Origin(chain=("lighttpd", "libpcre", "libdeep"))),
        ("stray", Origin()),
    ],
)
def test_the_origin_of_a_package(package: str, origin: Origin) -> None:
    assert find_origin(PACKAGES, package, DOCKERFILE) == origin


def test_the_origin_is_said_in_words() -> None:
    file = "services/wiki/webserver/Dockerfile"
    assert describe(Origin(line=6), file) == "services/wiki/webserver/Dockerfile:6 installs it"
    assert describe(Origin(chain=("a", "b")), file) == "a dependency: a -> b"
    assert describe(Origin(base=True), file) == "it is part of the base image"
    assert describe(Origin(), file).startswith("neither")
