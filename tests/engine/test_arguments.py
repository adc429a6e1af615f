"""The arguments and input for other programs."""

import json
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.engine.base import make_mmdebstrap, make_sources, suites_of
from darkpeak.engine.base_image import Made, make_config
from darkpeak.engine.compose import make_compose, make_overlay
from tests.making import write_collective


def test_the_compose_command_names_the_folder_and_the_file(tmp_path: Path) -> None:
    wiki = next(item for item in collective.read(write_collective(tmp_path))[0].services if item.name == "wiki")
    folder = tmp_path / "services/wiki"
    assert make_compose(wiki, "up", "--detach", overlay=True) == (
        *("docker", "compose", "--ansi", "never", "--project-directory", str(folder)),
        *("--file", str(folder / "docker-compose.yml"), "--file", "-", "up", "--detach"),
    )


def test_the_overlay_labels_each_image_with_its_content(tmp_path: Path) -> None:
    wiki = next(item for item in collective.read(write_collective(tmp_path))[0].services if item.name == "wiki")
    overlay = json.loads(make_overlay(wiki))
    labels = overlay["services"]["webserver"]["build"]["labels"]
    assert labels["darkpeak.content"] == wiki.containers[0].content
    assert sorted(json.loads(labels["darkpeak.parts"])) == ["docker-compose.yml", "webserver/Dockerfile"]


def test_suites_are_found_in_dockerfiles(tmp_path: Path) -> None:
    assert suites_of(collective.read(write_collective(tmp_path))[0].services) == ("trixie",)


MIRRORED = "Debian|http://mirror/debian/\nDebian-Security|http://mirror/security/\nOther|http://other/\n"


@pytest.mark.parametrize(
    ("listed", "sources"),
    [
        (
            MIRRORED,
            (
                "deb http://mirror/debian trixie main",
                "deb http://mirror/debian trixie-updates main",
                "deb http://mirror/security trixie-security main",
            ),
        ),
        ("Other|http://other/\n", ()),
        ("", ()),
    ],
    ids=["own mirror", "no Debian", "no apt"],
)
def test_the_base_image_comes_from_this_machines_mirror(listed: str, sources: tuple[str, ...]) -> None:
    assert make_sources("trixie", listed) == sources


def test_the_mmdebstrap_command_ends_with_the_sources() -> None:
    assert make_mmdebstrap(Made("trixie", "arm64", 0, ("deb A", "deb B")), "root.tar")[-4:] == (
        *("trixie", "root.tar"),
        *("deb A", "deb B"),
    )


def test_a_base_image_says_what_it_is_made_of_and_no_password() -> None:
    made = Made("trixie", "arm64", 1_764_201_600, ("deb http://ada:secret@mirror/debian trixie main", "deb B"))
    config = make_config(made, "0" * 64)
    assert (config["architecture"], config["created"]) == ("arm64", "2025-11-27T00:00:00Z")
    assert config["config"]["Labels"] == {
        "darkpeak.base": "trixie",
        "darkpeak.base.date": "2025-11-27",
        "darkpeak.base.sources": "deb http://mirror/debian trixie main; deb B",
    }
