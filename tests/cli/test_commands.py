"""The command line as users see it: exit codes, messages, JSON. No daemon answers in these tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import edit, write_collective

NOWHERE = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def darkpeak(root: Path, *arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "darkpeak", *arguments]
    return subprocess.run(argv, cwd=root, env=NOWHERE, capture_output=True, text=True, check=False, timeout=seconds)


def test_a_folder_outside_a_collective_is_an_error(tmp_path: Path) -> None:
    done = darkpeak(tmp_path, "ports")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: no collective.toml in {tmp_path} or above it\n")


def test_the_collective_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    done = darkpeak(write_collective(tmp_path) / "services" / "wiki", "ports", "--json")
    assert [row["service"] for row in json.loads(done.stdout)] == ["wiki", "directory"]


def test_a_table_in_a_pipe_has_no_colour_and_is_not_cut(tmp_path: Path) -> None:
    done = darkpeak(write_collective(tmp_path), "ports")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["PORT", "SERVICE", "CONTAINER", "TARGET", "ROUTE"],
        ["6010-6011", "wiki", "webserver", "80", "wiki.localhost"],
        ["6020", "directory", "slapd", "389"],
    ]
    assert done.stderr == "next free block: 6030 (ports 6030-6039, subnet 10.60.30.0/24)\n"


def test_the_help_is_the_same_as_click_writes_it(tmp_path: Path) -> None:
    """It is read from a file, because importing click takes longer than all the rest."""
    shown = [
        subprocess.run(
            [sys.executable, "-m", "darkpeak", option],
            cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **columns},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for option in ("--help", "-h")
        for columns in ({}, {"COLUMNS": "80"}, {"COLUMNS": "60"})
    ]
    assert shown[0] == shown[1] == shown[3] == shown[4]
    assert shown[2] == shown[5] != shown[0], "a narrow terminal has lines of its own"


def test_free_blocks_are_shown_one_or_as_many_as_wanted(tmp_path: Path) -> None:
    assert darkpeak(write_collective(tmp_path), "ports", "--free").stdout.split() == [
        *("BLOCK", "PORTS", "SUBNET", "6030", "6030-6039", "10.60.30.0/24")
    ]
    found = json.loads(darkpeak(tmp_path, "ports", "--free", "2", "--json").stdout)
    assert [item["block"] for item in found] == [6030, 6040]
    assert darkpeak(tmp_path, "ports", "--free", "0").returncode == 2


@pytest.mark.parametrize("command", ["up", "plan"])
def test_findings_stop_a_deploy_before_anything_is_touched(tmp_path: Path, command: str) -> None:
    edit(write_collective(tmp_path), "services/wiki/docker-compose.yml", "block: 6010", "block: 6011")
    done = darkpeak(tmp_path, command, "wiki")
    assert done.returncode == 2
    assert "services/wiki/docker-compose.yml:4: block 6011 is not a multiple of ten" in done.stderr


WIKI = "services/wiki/docker-compose.yml"


@pytest.mark.parametrize(
    ("old", "new"),
    [("http: 6010", "http: 22"), ("services:", "services"), ("[ada, grace]", "[ada]"), ("name: darkpeak-wiki", "")],
    ids=["a wrong route", "bad YAML", "one admin", "no name"],
)
def test_a_finding_elsewhere_does_not_stop_a_service(tmp_path: Path, old: str, new: str) -> None:
    """Without an engine, the next step fails: the files were no obstacle."""
    edit(write_collective(tmp_path), WIKI, old, new)
    (tmp_path / "services/empty").mkdir()
    done = darkpeak(tmp_path, "up", "directory")
    assert (done.returncode, "no Docker engine answers" in done.stderr) == (3, True), done.stderr


def test_a_fault_of_the_whole_collective_stops_every_deploy(tmp_path: Path) -> None:
    edit(write_collective(tmp_path), "collective.toml", 'domain = "localhost"', 'domain = "dark peak"')
    done = darkpeak(tmp_path, "up", "directory")
    assert (done.returncode, "nothing was touched" in done.stderr) == (2, True), done.stderr


def test_lint_exits_with_1_if_there_are_findings(tmp_path: Path) -> None:
    write_collective(tmp_path)
    assert darkpeak(tmp_path, "lint").returncode == 0
    edit(tmp_path, "services/wiki/docker-compose.yml", "kind: user", "kind: users")
    done = darkpeak(tmp_path, "lint", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [finding["rule"] for finding in found if finding["severity"] != "note"] == ["unknown-kind"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("up",),
        ("status",),
        ("stop",),
        ("routes",),
        ("certificates",),
        ("member", "list"),
        ("up", "wiki"),
        ("down", "--yes"),
    ],
    ids=" ".join,
)
def test_an_error_without_an_engine_has_three_lines(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = darkpeak(write_collective(tmp_path), *arguments)
    assert done.returncode == 3
    assert done.stderr.startswith("error: no Docker engine answers at unix:///nonexistent/docker.sock")
    assert len(done.stderr.splitlines()) <= 3
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "wikki"), "there is no service wikki"),
        (("statsu",), "no such command 'statsu'"),
        (("up", "--fast"), "no such option '--fast'"),
        (("restore",), "give one service, or only --all"),
        (("backup", "wiki"), "there is no backup-key.age"),
        (("restore", "wiki", "--to", "a", "--from", "b"), "exclude each other"),
        (("down", "--volumes"), "nothing was removed"),
        (("status", "--host", "server"), "there is no host server"),
        (("tunnel", "tcp://server:2375"), "tcp://server:2375 is not an ssh host"),
        (("tunnel", "server", "--port", "99999"), "invalid value for '--port'"),
    ],
    ids=["service", "command", "option", "argument", "no key", "two folders", "no answer", "host", "tunnel", "port"],
)
def test_wrong_use_exits_with_2(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = darkpeak(write_collective(tmp_path), *arguments)
    assert (done.returncode, said in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--since", "yesterday"),
        ("--since", "1d"),
        ("--since", "-1h"),
        ("--since", "2026-13-01"),
        ("--since", "2026-W01-1"),
        ("--since", "2026-06-12 19:40"),
        ("--since", "\N{ARABIC-INDIC DIGIT ONE}h"),
        ("--tail", "-5"),
        ("--tail", "many"),
        ("--tail", ""),
    ],
    ids=" ".join,
)
def test_logs_refuses_what_the_engine_would_not_understand(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = darkpeak(write_collective(tmp_path), "logs", "wiki", *arguments)
    assert done.returncode == 2
    assert f"{arguments[0]} {arguments[1]}: this is not a" in done.stderr


@pytest.mark.parametrize(
    "since", ["1h", "1h30m", "90s", "1.5h", "2026-06-12", "2026-06-12T19", "2026-06-12T19:40:01.5Z", "1782820800"]
)
def test_logs_takes_the_times_that_docker_takes(tmp_path: Path, since: str) -> None:
    done = darkpeak(write_collective(tmp_path), "logs", "wiki", "--since", since, "--tail", "all")
    assert (done.returncode, "no Docker engine answers" in done.stderr) == (3, True)


UNREAD = {
    "YAML": ("name: darkpeak-wiki\nservices: [\n", ":3", "did not find expected node content"),
    "no mapping": ("wiki\n", ":1", "the file is not a mapping"),
    "nothing": (None, ":1", "the service has no compose file"),
}


@pytest.mark.parametrize(
    "arguments", [("status",), ("logs",), ("restart",), ("level",), ("diff",), ("history",), ("down", "--yes")]
)
@pytest.mark.parametrize(("content", "line", "what"), UNREAD.values(), ids=UNREAD)
def test_a_service_that_cannot_be_read_is_not_said_to_be_missing(
    tmp_path: Path, arguments: tuple[str, ...], content: str | None, line: str, what: str
) -> None:
    file = write_collective(tmp_path) / "services/wiki/docker-compose.yml"
    file.unlink()
    if content:
        file.write_text(content)
    done = darkpeak(tmp_path, arguments[0], "wiki", *arguments[1:])
    assert f"error: wiki cannot be read: {what}" in done.stderr
    assert f"at services/wiki/docker-compose.yml{line}" in done.stderr
    assert done.returncode == 2
    checked = darkpeak(tmp_path, "lint", "wiki")
    assert (f"services/wiki/docker-compose.yml{line}: error: {what}" in checked.stdout, checked.returncode) == (True, 1)


@pytest.mark.parametrize("group", [(), ("vm",)], ids=["darkpeak", "a group"])
def test_a_group_without_a_command_shows_its_help(tmp_path: Path, group: tuple[str, ...]) -> None:
    done, asked = darkpeak(tmp_path, *group), darkpeak(tmp_path, *group, "--help")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", asked.stdout)
    assert asked.returncode == 0


def test_errors_are_json_with_the_option_json(tmp_path: Path) -> None:
    done = darkpeak(write_collective(tmp_path), "status", "wikki", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["hint"] == "the services are: directory, wiki"


ALIASES = "".join(f"x-{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 10))


def test_one_hostile_file_stops_no_command_and_no_other_service(tmp_path: Path) -> None:
    """An alias bomb of a billion values in the wiki; the directory is shown as always."""
    file = write_collective(tmp_path) / "services/wiki/docker-compose.yml"
    file.write_text(file.read_text() + "x-0: &b0 [a]\n" + ALIASES)
    done = [darkpeak(tmp_path, command, seconds=5) for command in ("lint", "ports", "status", "plan")]
    assert [item.returncode for item in done] == [1, 0, 3, 3]  # no engine answers
    assert "services/wiki/docker-compose.yml:27" in done[0].stdout + done[0].stderr
    assert "directory" in done[1].stdout
    assert not [item.stderr for item in done if "Traceback" in item.stderr or "bug" in item.stderr]


def test_a_file_that_is_nested_too_deeply_does_not_kill_the_program(tmp_path: Path) -> None:
    """The parser's stack would overflow, which no exception handler can catch."""
    file = write_collective(tmp_path) / "services/wiki/docker-compose.yml"
    file.write_text(file.read_text() + f"x-a: {'[' * 50_000}\n")
    done = darkpeak(tmp_path, "ports", seconds=5)
    assert done.returncode == 0
    assert "directory" in done.stdout
