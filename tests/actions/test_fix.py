"""`lint --fix` changes only what is safe, shows it, and refuses what git could not undo."""

import subprocess
from pathlib import Path

import pytest

from darkpeak.actions.fix import fix
from darkpeak.deploy.check import check_files
from darkpeak.errors import UsageError
from tests.making import WIKI, edit, write_collective

FILE = "services/wiki/docker-compose.yml"
BACKUP = "services/wiki/scripts/backup"
ADDED = """\
    logging: {driver: local, options: {max-size: 10m, max-file: "3"}}
    mem_limit: 1g
    pids_limit: 500
    security_opt: ["no-new-privileges:true"]
"""


def git(root: Path, *words: str) -> None:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@darkpeak.test")
    subprocess.run(["git", "-C", root, *own, *words], check=True, capture_output=True, timeout=60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_collective(tmp_path)
    git(tmp_path, "init", "-q")
    return tmp_path


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "as it is")


def fixed(root: Path) -> dict[str, str]:
    commit(root)
    return {item.file: item.diff() for item in fix(root, check_files(root).findings)}


def test_missing_lines_are_added_at_the_end_of_the_container(root: Path) -> None:
    """Comments, order and everything else stay; a second run has nothing to do."""
    edit(root, FILE, "    restart: unless-stopped\n", "    restart: unless-stopped # always\n\n# the networks\n")
    diffs = fixed(root)
    expected = WIKI.replace(
        "    restart: unless-stopped\n", f"    restart: unless-stopped # always\n{ADDED}\n# the networks\n"
    )
    assert (root / FILE).read_text() == expected
    assert [line for line in diffs[FILE].splitlines() if line.startswith(("+ ", "- "))] == [
        f"+{line}" for line in ADDED.splitlines()
    ]
    assert fixed_again(root) == {}


def fixed_again(root: Path) -> dict[str, str]:
    git(root, "commit", "-q", "-a", "-m", "fixed")
    return {item.file: item.diff() for item in fix(root, check_files(root).findings)}


def test_a_restart_policy_is_added_too(root: Path) -> None:
    edit(root, FILE, "    restart: unless-stopped\n", "")
    fixed(root)
    assert "    restart: unless-stopped\n" in (root / FILE).read_text()
    assert [item.rule for item in check_files(root).findings if item.at.service == "wiki"] == ["capabilities"]


PRESENT = """\
    restart: unless-stopped
    security_opt: [seccomp=x.json]
    logging: {driver: json-file}
    mem_limit: 1g
    pids_limit: 1
"""


def test_a_key_that_is_there_is_not_written_twice(root: Path) -> None:
    edit(root, FILE, "    restart: unless-stopped\n", PRESENT)
    before = (root / FILE).read_text()
    assert FILE not in fixed(root)
    assert (root / FILE).read_text() == before


def test_a_container_in_one_line_is_left_alone(root: Path) -> None:
    text = (root / FILE).read_text()
    start, end = text.index("  webserver:"), text.index("networks:\n  default")
    one = "  webserver: {build: webserver, ports: ['127.0.0.1:6010-6011:80'], restart: always}\n"
    (root / FILE).write_text(text[:start] + one + text[end:])
    before = (root / FILE).read_text()
    assert FILE not in fixed(root)
    assert (root / FILE).read_text() == before


def test_a_script_becomes_executable_and_its_lines_end_with_lf(root: Path) -> None:
    path = root / BACKUP
    path.write_bytes(b"#!/bin/sh\r\nexit 0\r\n")
    fixed(root)
    assert path.read_bytes() == b"#!/bin/sh\nexit 0\n"
    path.chmod(0o640)
    diffs = fixed(root)
    assert diffs[BACKUP] == f"{BACKUP}: made executable\n"
    assert path.stat().st_mode & 0o777 == 0o750


def test_a_file_that_is_not_committed_is_refused_before_anything_is_written(root: Path) -> None:
    commit(root)
    (root / BACKUP).chmod(0o644)
    edit(root, FILE, "    restart: unless-stopped\n", "")
    before = (root / FILE).read_text()
    with pytest.raises(UsageError, match=r"not committed: .*docker-compose.yml") as refused:
        fix(root, check_files(root).findings)
    assert "git commit" in refused.value.hint
    assert (root / FILE).read_text() == before
    assert not (root / BACKUP).stat().st_mode & 0o111


def test_without_git_nothing_is_touched(tmp_path: Path) -> None:
    before = (write_collective(tmp_path) / FILE).read_text()
    with pytest.raises(UsageError, match="not in git"):
        fix(tmp_path, check_files(tmp_path).findings)
    assert (tmp_path / FILE).read_text() == before
