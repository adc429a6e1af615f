"""What is found in a service's folder is remembered, and never outlives a change of what it depends on."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkpeak import lint
from darkpeak.collective import read_with
from darkpeak.collective.fingerprint import take
from darkpeak.collective.model import Finding, Place
from darkpeak.collective.packed import pack, unpack
from darkpeak.deploy.check import check_files
from darkpeak.deploy.examine import CODE, Examined, Judged, examine, judge, tool
from darkpeak.engine import resolve
from darkpeak.vocabulary import KEY_FILE
from tests.making import edit, write_collective

TOP = Path(__file__).parent.parent.parent
COMPOSE = "services/wiki/docker-compose.yml"
BUILD = "services/wiki/webserver/Dockerfile"
BACKUP = "services/wiki/scripts/backup"
VARIABLES = {"DARKPEAK_DOMAIN": "localhost"}
FORGED = Examined(None, ())  # what no examination of the wiki gives

Change = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a collective, and a folder for what is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COLOUR", raising=False)
    (tmp_path / "collective").mkdir()
    return write_collective(tmp_path / "collective")


def look(root: Path, variables: dict[str, str] | None = None, now: int = 0) -> Examined:
    """Examine the wiki as if everything had been written a minute ago."""
    return examine(root, root / "services/wiki", variables or VARIABLES, now or time.time_ns() + 60_000_000_000)


def memory(root: Path) -> list[Path]:
    return list((root.parent / "cache/darkpeak/resolved/services").glob("*.json"))


def forge(root: Path) -> None:
    """Replace what is remembered, so that a test sees whether it is used."""
    [path] = memory(root)
    path.write_text(json.dumps({**json.loads(path.read_text()), "examined": pack(FORGED)}))


def rules(found: Examined) -> set[str]:
    return {item.rule for item in (*found.findings, *(found.hidden or ()))}


def test_what_has_not_changed_is_remembered(root: Path) -> None:
    first = look(root)
    assert look(root) == first
    forge(root)
    assert look(root) == FORGED


def test_the_oldest_is_forgotten_if_there_is_too_much(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as what is kept of a collective that is gone."""
    monkeypatch.setattr(resolve, "MOST", 3)
    folder = root.parent / "cache/darkpeak/resolved/services"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"{number}.json").touch()
        os.utime(folder / f"{number}.json", ns=(number, number))
    look(root)
    assert len(memory(root)) == 3
    assert {"3.json", "4.json"} < {path.name for path in memory(root)}


def with_same_size_and_time(root: Path) -> None:
    """Change a file so that only its ctime tells."""
    before = (root / BUILD).stat()
    edit(root, BUILD, "debian:trixie", "fedora:rawhid")
    os.utime(root / BUILD, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (root / BUILD).stat().st_size == before.st_size


def through_another_name(root: Path) -> None:
    """Change a file by a hard link outside of the folder."""
    (root / "elsewhere").hardlink_to(root / BACKUP)
    look(root)
    forge(root)
    (root / "elsewhere").write_text("exit 0\n")


def replaced(root: Path) -> None:
    """Put another folder in the place of the service's."""
    (root / "services/wiki").rename(root / "old")
    (root / "services/other").mkdir()
    for path in (root / "old").rglob("*"):
        new = root / "services/other" / path.relative_to(root / "old")
        new.mkdir() if path.is_dir() else new.write_bytes(path.read_bytes())
    (root / "services/other").rename(root / "services/wiki")


CHANGES: dict[str, tuple[Change, str]] = {
    "the compose file": (lambda root: edit(root, COMPOSE, "level: alpha", "level: never"), "unknown-level"),
    "a Dockerfile": (lambda root: edit(root, BUILD, "trixie", "latest"), "latest"),
    "a file, with its old size and time": (with_same_size_and_time, "base-image"),
    "a file, by another name": (through_another_name, "no-interpreter"),
    "a mode": (lambda root: (root / BACKUP).chmod(0o644), "not-executable"),
    "a file that is removed": (lambda root: (root / BACKUP).unlink(), "missing-file"),
    "a file that is renamed": (lambda root: (root / BACKUP).rename(root / f"{BACKUP}.old"), "missing-file"),
    "a new .env": (lambda root: (root / "services/wiki/.env").write_text("COMPOSE_FILE=x\n"), "compose-variable"),
    "an override": (
        lambda root: (root / "services/wiki/docker-compose.override.yml").write_text(
            "services: {webserver: {privileged: true}}\n"
        ),
        "root-on-host",
    ),
    "a file for one host": (
        lambda root: (root / "services/wiki/docker-compose.vm.yml").write_text("services: {webserver: {pid: host}}\n"),
        "root-on-host",
    ),
    "another compose file": (
        lambda root: (root / "services/wiki/compose.yaml").write_text("services: {}\n"),
        "other-compose-file",
    ),
    "a device in the build": (lambda root: os.mkfifo(root / "services/wiki/webserver/pipe"), "build-files"),
    "the whole folder": (replaced, "not-executable"),
}


@pytest.mark.parametrize(("change", "rule"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_folder_is_seen(root: Path, change: Change, rule: str) -> None:
    assert rule not in rules(look(root))
    forge(root)
    change(root)
    assert rule in rules(look(root))


def test_another_value_of_collective_toml_is_seen(root: Path) -> None:
    edit(root, COMPOSE, "    restart:", "    environment: {DOMAIN: $DARKPEAK_DOMAIN}\n    restart:")
    first = look(root)
    forge(root)
    second = look(root, {"DARKPEAK_DOMAIN": "village.test"})
    assert first.service
    assert second.service
    assert first.service.containers[0].content != second.service.containers[0].content


def test_a_variable_of_the_shell_is_seen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(root, COMPOSE, "    restart:", '    pid: "${COLOUR:-}"\n    restart:')
    look(root)
    forge(root)
    monkeypatch.setenv("UNUSED", "host")
    assert look(root) == FORGED
    monkeypatch.setenv("COLOUR", "host")
    assert "root-on-host" in rules(look(root))


def test_another_version_of_the_tool_is_seen(root: Path, tmp_path: Path) -> None:
    look(root)
    [path] = memory(root)
    later = time.time_ns() + 60_000_000_000
    assert tool(CODE, later) in json.loads(path.read_text())["key"]
    code = tmp_path / "code"
    code.mkdir()
    (code / "rules.py").write_text("pass\n")
    before = tool(code, later)
    (code / "rules.py").write_text("1234\n")
    assert tool(code, later + 1) not in {before, ""}
    assert not tool(code, time.time_ns()), "code that has just changed may be other code than what runs"


def test_another_user_is_another_question(root: Path) -> None:
    """What a user may read and start depends on who it is."""
    look(root)
    [path] = memory(root)
    assert f"{os.geteuid()}, {os.getegid()}, " in json.loads(path.read_text())["key"]


def test_what_has_just_changed_is_not_remembered(root: Path) -> None:
    """It could change once more in the same tick of the file system's clock."""
    look(root, now=time.time_ns())
    assert memory(root) == []


OUTSIDE: dict[str, Change] = {
    "a build": lambda root: edit(root, COMPOSE, "build: webserver", "build: ../directory/slapd"),
    "an environment file": lambda root: edit(root, COMPOSE, "    restart:", "    env_file: ../../x.env\n    restart:"),
    "a file of the home": lambda root: edit(root, COMPOSE, "    restart:", "    env_file: ~/x.env\n    restart:"),
    "a link": lambda root: (root / "services/wiki/webserver/x").symlink_to("/etc/hostname"),
    "an extended file": lambda root: edit(
        root,
        COMPOSE,
        "    build: webserver",
        "    build: webserver\n    extends: {file: ../directory/docker-compose.yml, service: slapd}",
    ),
}


@pytest.mark.parametrize("change", OUTSIDE.values(), ids=OUTSIDE)
def test_what_depends_on_files_elsewhere_is_not_remembered(root: Path, change: Change) -> None:
    (root / "x.env").touch()
    change(root)
    look(root)
    assert memory(root) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "\0", '{"key": 1, "words": [], "shell": {}, "examined": []}'])
def test_a_broken_memory_is_not_used(root: Path, text: str) -> None:
    first = look(root)
    [path] = memory(root)
    path.write_text(text)
    assert look(root) == first
    entry = {**json.loads(path.read_text()), "examined": [[1], 2]}
    path.write_text(json.dumps(entry))
    assert look(root) == first


def test_a_memory_that_cannot_be_written_stops_nothing(root: Path) -> None:
    (root.parent / "cache").write_text("a file")
    assert look(root) == look(root)


def test_what_services_have_in_common_is_judged_anew(root: Path) -> None:
    """The directory is remembered; then the wiki takes its block."""
    later = time.time_ns() + 60_000_000_000

    def read() -> set[str]:
        folders: list[Examined] = []

        def read_one(folder: Path, variables: Any) -> Any:
            folders.append(examine(root, folder, variables, later))
            return folders[-1].service, folders[-1].findings

        return {item.rule for item in lint.check_together(read_with(root, read_one)[0])}

    assert read() == set()
    edit(root, COMPOSE, "block: 6010", "block: 6020")
    assert "block-taken" in read()


def test_the_services_of_this_repository_survive_the_memory(root: Path) -> None:
    """Twice the same collective, and each value as it was."""
    assert root
    first = check_files(TOP)
    assert check_files(TOP) == first
    for service in first.collective.services:
        assert unpack(type(service), json.loads(json.dumps(pack(service)))) == service


def test_a_fingerprint_says_nothing_of_what_it_cannot_see(tmp_path: Path) -> None:
    assert take(tmp_path)
    assert take(tmp_path / "missing") is None
    (tmp_path / "x").symlink_to("nowhere")
    assert take(tmp_path) is None
    assert take(tmp_path, ("x",))


LIE = Judged((), (), (Finding(Place("x", 1), "toml", "what no judgement finds", "nothing"),))


def examined(root: Path, now: int = 0) -> list[Examined]:
    """Examine all services, as if everything had been written a minute ago."""
    when = now or time.time_ns() + 60_000_000_000
    return [examine(root, folder, VARIABLES, when) for folder in sorted((root / "services").iterdir())]


def judge_all(root: Path, now: int = 0) -> Judged:
    """Return what is found in all files of a collective."""
    every = examined(root, now)
    found, own = read_with(root, lambda folder, _: (next(one.service for one in every if named(one, folder)), ()))
    return judge(found, own, every)


def named(one: Examined, folder: Path) -> bool:
    return one.service is not None and one.service.folder == folder


def common(root: Path) -> list[Path]:
    return list((root.parent / "cache/darkpeak/resolved/collectives").glob("*.json"))


def lie(root: Path) -> None:
    """Replace what is remembered of all services together."""
    [path] = common(root)
    path.write_text(json.dumps({**json.loads(path.read_text()), "judged": pack(LIE)}))


def test_what_is_found_in_all_services_together_is_remembered(root: Path) -> None:
    first = judge_all(root)
    assert judge_all(root) == first
    lie(root)
    assert judge_all(root) == LIE


@pytest.mark.parametrize(
    "change",
    [
        lambda root: edit(root, COMPOSE, "about:", "about: Another"),
        lambda root: edit(root, "collective.toml", "name =", "keep_deploys = 3\nname ="),
        lambda root: (root / KEY_FILE).write_text("a key"),
        lambda root: shutil.rmtree(root / "services/wiki"),
    ],
    ids=["a service", "collective.toml", "the backup key", "a service is gone"],
)
def test_each_change_is_seen_by_the_rules_for_all_services(root: Path, change: Change) -> None:
    judge_all(root)
    lie(root)
    change(root)
    assert judge_all(root) != LIE


def test_where_a_service_may_still_change_nothing_is_remembered_of_all(root: Path) -> None:
    judge_all(root, time.time_ns())
    assert common(root) == []
