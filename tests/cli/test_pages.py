"""`darkpeak help` shows the documentation; a shell completes names from the collective's files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from darkpeak import catalogue
from darkpeak.cli import root
from tests.cli.test_commands import darkpeak
from tests.making import write_collective


def test_help_lists_each_page_with_what_it_is_about(tmp_path: Path) -> None:
    rows = json.loads(darkpeak(tmp_path, "help", "--json").stdout)
    assert [row["topic"] for row in rows] == list(catalogue.pages())
    assert all(row["about"] for row in rows)
    assert "backup  " in darkpeak(tmp_path, "help").stdout


def test_a_page_fits_into_80_columns_and_links_are_topics(tmp_path: Path) -> None:
    shown = darkpeak(tmp_path, "help", "service")
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "](" not in shown.stdout
    assert "\033" not in shown.stdout
    assert "darkpeak help " in darkpeak(tmp_path, "help", "admins").stdout


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("bakcup", "did you mean backup? Show it: darkpeak help backup"),
        ("Backup", "did you mean backup? Show it: darkpeak help backup"),
        ("cert", "did you mean certificates? Show it: darkpeak help certificates"),
        ("up", "this is a command; for its help: darkpeak up --help"),
        ("zzz", "list the topics: darkpeak help"),
    ],
)
def test_a_wrong_topic_proposes_what_is_near(tmp_path: Path, topic: str, hint: str) -> None:
    done = darkpeak(tmp_path, "help", topic)
    assert (done.returncode, hint in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        (["up"], ["directory", "wiki"]),
        (["up", "wiki"], ["directory"]),
        (["logs"], ["directory", "wiki"]),
        (["--host"], ["server"]),
        (["up", "--host"], ["server"]),
        (["key", "add"], ["ada", "grace"]),
        (["completion"], ["bash", "zsh", "fish"]),
    ],
    ids=" ".join,
)
def test_names_come_from_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], proposed: list[str]
) -> None:
    write_collective(tmp_path)
    with (tmp_path / "collective.toml").open("a") as file:
        file.write('\n[hosts.server]\ndocker = "ssh://root@server"\n')
    monkeypatch.chdir(tmp_path / "services")
    complete = ShellComplete(root, {}, "darkpeak", "_DARKPEAK_COMPLETE")
    assert [item.value for item in complete.get_completions(typed, "")] == proposed


def test_outside_a_collective_and_in_a_broken_one_nothing_is_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    complete = ShellComplete(root, {}, "darkpeak", "_DARKPEAK_COMPLETE")
    assert complete.get_completions(["up"], "") == []
    (tmp_path / "collective.toml").write_text("[hosts")
    assert complete.get_completions(["up", "--host"], "") == []


def test_the_script_of_bash_completes_a_service(tmp_path: Path) -> None:
    """As bash does it: it reads the script, then calls its function, which runs darkpeak."""
    script = darkpeak(tmp_path, "completion", "bash").stdout
    write_collective(tmp_path)
    words = 'COMP_WORDS=(darkpeak up wi); COMP_CWORD=2; _darkpeak_completion darkpeak; echo "${COMPREPLY[@]}"'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{words}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "wiki\n", done.stderr
