"""An image is built from the Dockerfile that compose takes: by another name, from elsewhere, or in the compose file."""

import hashlib
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.deploy.linters import _files
from darkpeak.engine.base import suites_of
from tests.lint.test_every_rule import BUILD, COMPOSE, findings, sound
from tests.making import edit

PROD = "services/wiki/webserver/Dockerfile.prod"
SHARED = "services/wiki/common/Dockerfile"
SHELL = "CMD starts a shell, which does not pass on the signal to stop"
INLINE = """\
build:
      context: webserver
      dockerfile_inline: |
        FROM debian:trixie
        EXPOSE 80
        HEALTHCHECK CMD true
        VOLUME /var/lib/wiki
        RUN apt-get update && apt-get dist-upgrade -y
        CMD serve
"""


def move(root: Path, to: str, more: str = "") -> None:
    """Give the wiki's Dockerfile another path, and more lines."""
    path = root / to
    path.parent.mkdir(exist_ok=True)
    (root / BUILD).rename(path)
    path.write_text(path.read_text() + more)


def lines(root: Path, file: str) -> int:
    return len((root / file).read_text().splitlines())


def content(root: Path) -> str:
    found, _ = collective.read(root)
    (wiki,) = (service for service in found.services if service.name == "wiki")
    return hashlib.sha256(repr([item.content for item in wiki.containers]).encode()).hexdigest()


@pytest.mark.parametrize(
    ("written", "file"), [("Dockerfile.prod", PROD), ("./Dockerfile.prod", PROD), ("../common/Dockerfile", SHARED)]
)
def test_the_named_file_is_the_one_that_is_checked(tmp_path: Path, written: str, file: str) -> None:
    sound(tmp_path)
    edit(tmp_path, COMPOSE, "build: webserver", f"build: {{context: webserver, dockerfile: {written}}}")
    assert findings(tmp_path)[0].endswith(f"no-dockerfile: there is no {file.removeprefix('services/wiki/')}")
    move(tmp_path, file)
    assert findings(tmp_path) == []
    (tmp_path / file).write_text((tmp_path / file).read_text() + "CMD serve\n")
    assert findings(tmp_path) == [f"{file}:{lines(tmp_path, file)} shell-form: {SHELL}"]
    (tmp_path / BUILD).write_text("FORM nothing\n")
    assert len(findings(tmp_path)) == 1, "nothing is built from that"


def test_a_change_of_a_dockerfile_outside_its_context_is_a_change(tmp_path: Path) -> None:
    sound(tmp_path)
    edit(tmp_path, COMPOSE, "build: webserver", "build: {context: webserver, dockerfile: ../common/Dockerfile}")
    move(tmp_path, SHARED)
    before = content(tmp_path)
    (tmp_path / SHARED).write_text((tmp_path / SHARED).read_text() + "LABEL later=yes\n")
    assert content(tmp_path) != before


def test_a_text_in_the_compose_file_is_checked_with_its_lines(tmp_path: Path) -> None:
    sound(tmp_path)
    (tmp_path / BUILD).unlink()
    edit(tmp_path, COMPOSE, "build: webserver\n", INLINE)
    text = (tmp_path / COMPOSE).read_text().splitlines()
    line = next(number for number, item in enumerate(text, 1) if item.strip() == "CMD serve")
    assert findings(tmp_path) == [f"{COMPOSE}:{line} shell-form: {SHELL}"]
    edit(tmp_path, COMPOSE, "FROM debian:trixie", "FROM debian:bookworm")
    found, _ = collective.read(tmp_path)
    assert suites_of(found.services) == ("bookworm", "trixie")


@pytest.mark.parametrize(
    "written", ["../../directory/slapd/Dockerfile", "/etc/hostname", "/dev/zero", "../../../nothing", "../../.."]
)
def test_a_file_outside_the_services_folder_is_a_finding_and_not_read(tmp_path: Path, written: str) -> None:
    sound(tmp_path)
    edit(tmp_path, COMPOSE, "build: webserver", f"build: {{context: webserver, dockerfile: {written}}}")
    found = findings(tmp_path)
    assert f"{COMPOSE}:12 outside-folder: webserver is built by {written}, outside the service's folder" in found
    assert {item.partition(": ")[0].rpartition(" ")[2] for item in found} <= {"outside-folder", "no-healthcheck"}


def test_the_linter_from_outside_gets_the_named_file(tmp_path: Path) -> None:
    sound(tmp_path)
    edit(tmp_path, COMPOSE, "build: webserver", "build: {context: webserver, dockerfile: Dockerfile.prod}")
    move(tmp_path, PROD)
    found, _ = collective.read(tmp_path)
    (wiki,) = (service for service in found.services if service.name == "wiki")
    assert tmp_path / PROD in _files(wiki)
