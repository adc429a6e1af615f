"""Links in `services/`: to themselves, upwards or to another service they are findings; others are followed."""

import shutil
from pathlib import Path

import pytest

from darkpeak import collective, lint
from tests.making import without_notes, write_collective

FOLDERS = {
    "itself": ("loop", "refers to itself"),
    "its folder": (".", "contains the link itself"),
    "its parent": ("..", "contains the link itself"),
    "the root": ("../../../../../../../../../..", "contains the link itself"),
    "another service": ("wiki", "is a part of services/ already"),
    "a service's own folder": ("wiki/webserver", "is a part of services/ already"),
    "nothing": ("nowhere", "cannot be followed"),
    "the machine": ("/etc", "is outside the collective"),
}


def findings(root: Path) -> list[str]:
    found, unreadable = collective.read(root)
    every = sorted({*unreadable, *without_notes(lint.check(found))})
    return [f"{item.at} {item.rule}: {item.what}" for item in every]


@pytest.mark.parametrize(("target", "wrong"), FOLDERS.values(), ids=FOLDERS)
def test_a_service_is_no_link_to(tmp_path: Path, target: str, wrong: str) -> None:
    (write_collective(tmp_path) / "services/loop").symlink_to(target)
    assert findings(tmp_path) == [f"services/loop:1 linked-folder: it is a link to {target}, which {wrong}"]
    assert [item.name for item in collective.read(tmp_path)[0].services] == ["directory", "wiki"]


@pytest.mark.parametrize(("target", "wrong"), [("services", "refers to itself"), (".", "contains the link itself")])
def test_the_folder_of_all_services_is_no_link_to(tmp_path: Path, target: str, wrong: str) -> None:
    shutil.rmtree(write_collective(tmp_path) / "services")
    (tmp_path / "services").symlink_to(target)
    expected = f"services:1 linked-folder: services is a link to {target}, which {wrong}"
    assert expected in findings(tmp_path)


def test_a_link_to_a_folder_of_the_collective_is_a_service(tmp_path: Path) -> None:
    write_collective(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "services/wiki").rename(tmp_path / "parts/wiki")
    (tmp_path / "services/wiki").symlink_to("../parts/wiki")
    (tmp_path / "services/about.md").symlink_to("../collective.toml")
    assert findings(tmp_path) == []
    assert [item.name for item in collective.read(tmp_path)[0].services] == ["directory", "wiki"]


COMPOSE, FOLLOWED = "services/wiki/docker-compose.yml", "cannot be followed"
PARTS = {
    "scripts": [
        f"services/wiki/scripts/{name}:1 no-file: scripts/{name} cannot be reached: scripts is a link to scripts, "
        f"which {FOLLOWED}"
        for name in ("backup", "restore", "updates")
    ],
    "README.md": ["services/wiki/README.md:1 no-file: README.md is no file, and no link that leads to one"],
    "webserver": [f"{COMPOSE}:11 no-dockerfile: webserver is a link that {FOLLOWED}"],
    "docker-compose.yml": [f"{COMPOSE}:1 yaml: it is a link that {FOLLOWED}: Too many levels of symbolic links"],
}


@pytest.mark.parametrize(("name", "expected"), PARTS.items(), ids=PARTS)
def test_a_part_that_is_a_link_to_itself_is_named(tmp_path: Path, name: str, expected: list[str]) -> None:
    path = write_collective(tmp_path) / "services/wiki" / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(name)
    assert set(expected) <= set(findings(tmp_path))
    assert not [line for line in findings(tmp_path) if " is missing" in line]


@pytest.mark.parametrize("target", [".", "..", "loop"])
def test_a_link_in_what_is_built_is_copied_as_a_link(tmp_path: Path, target: str) -> None:
    (write_collective(tmp_path) / "services/wiki/webserver/loop").symlink_to(target)
    assert findings(tmp_path) == []
