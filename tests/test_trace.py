"""The trace of a run: its log, its causes, and what -v shows. With the real command line, and without an engine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from darkpeak.trace import KEPT, causes, display
from tests.making import write_collective

NOWHERE = "unix:///nonexistent/docker.sock"


def darkpeak(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tool in a collective, with its own state folder."""
    surroundings = {**os.environ, "DOCKER_HOST": NOWHERE, "XDG_STATE_HOME": str(root / "state"), **environment}
    argv = [sys.executable, "-m", "darkpeak", *arguments]
    return subprocess.run(argv, cwd=root, env=surroundings, capture_output=True, text=True, check=False)


def logs(root: Path) -> list[Path]:
    return sorted((root / "state/darkpeak/logs").iterdir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_collective(tmp_path)


def test_an_error_names_the_log_which_has_the_cause(root: Path) -> None:
    done = darkpeak(root, "status")
    (log,) = logs(root)
    assert done.stderr.splitlines()[-1] == f"  log: {log}"
    text = log.read_text()
    assert "$ darkpeak status" in text
    assert "FileNotFoundError" in text
    assert "Traceback" in text
    assert log.stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in done.stderr


def test_with_json_the_log_is_in_the_error(root: Path) -> None:
    done = darkpeak(root, "status", "--json")
    assert json.loads(done.stdout)["error"]["log"] == str(logs(root)[0])


def test_wrong_use_names_no_log(root: Path) -> None:
    assert "log:" not in darkpeak(root, "status", "wikki").stderr


def test_v_shows_the_causes(root: Path) -> None:
    plain, verbose = darkpeak(root, "status"), darkpeak(root, "status", "-v")
    assert "caused by" not in plain.stderr
    assert "caused by FileNotFoundError" in verbose.stderr


@pytest.mark.parametrize("arguments", [("-v", "doctor"), ("doctor", "-v")], ids=["before", "after"])
def test_v_shows_each_command_with_its_time(root: Path, arguments: tuple[str, ...]) -> None:
    done = darkpeak(root, *arguments)
    assert re.search(r"^\$ docker compose version --short \(\d+\.\d\d s", done.stderr, re.MULTILINE)
    assert "$ docker" not in darkpeak(root, "doctor").stderr


def test_only_the_newest_logs_are_kept(root: Path) -> None:
    folder = root / "state/darkpeak/logs"
    folder.mkdir(parents=True)
    for number in range(KEPT + 5):
        (folder / f"2020-01-01T00-00-{number:02}-1-up.log").write_text("")
    darkpeak(root, "ports")
    assert len(logs(root)) == KEPT
    assert logs(root)[-1].name.endswith("-ports.log")


def test_a_command_works_without_a_log(root: Path) -> None:
    done = darkpeak(root, "ports", "--json", XDG_STATE_HOME="/proc/nowhere")
    assert (done.returncode, "wiki" in done.stdout, done.stderr) == (0, True, "")


def test_a_bug_is_an_error_with_a_log_and_no_traceback(root: Path) -> None:
    (root / "bug.py").write_text(
        "from darkpeak.plan import status\nstatus.make_ports = lambda _: 1 / 0\nfrom darkpeak.cli import main\nmain()\n"
    )
    surroundings = {**os.environ, "XDG_STATE_HOME": str(root / "state")}
    argv = [sys.executable, str(root / "bug.py"), "ports"]
    done = subprocess.run(argv, cwd=root, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("error: this is a bug in darkpeak: ZeroDivisionError: division by zero\n")
    assert "Traceback" not in done.stderr
    assert "Traceback" in logs(root)[0].read_text()


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("restic", "-r", "rest:https://ada:hunter2@nas.test/x"), "restic -r 'rest:https://ada:****@nas.test/x'"),
        (("x", "--password=hunter2", "--api-token=t"), "x '--password=****' '--api-token=****'"),
        (("restic", "--password-file=/secret/password"), "restic --password-file=/secret/password"),
        (("sh", "-c", "a b"), "sh -c 'a b'"),
        (("docker", "--host", "ssh://ada@nas.test"), "docker --host ssh://ada@nas.test"),
    ],
    ids=["in a URL", "in an option", "a file's name", "words with spaces", "a login alone"],
)
def test_possible_secrets_are_masked(argv: tuple[str, ...], shown: str) -> None:
    assert display(argv) == shown


def test_causes_begin_with_the_nearest() -> None:
    outer, inner = RuntimeError("outer"), ValueError("inner\nmore")
    outer.__cause__, inner.__cause__ = inner, OSError(2, "No such file")
    assert causes(outer) == ["ValueError: inner", "FileNotFoundError: [Errno 2] No such file"]
