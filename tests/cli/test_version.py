"""`darkpeak --version --check`: asked of a real pip, whose index is a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from darkpeak import __version__

WHEEL = "darkpeak-{}-py3-none-any.whl"
GONE = "http://127.0.0.1:9/simple"


def ask(index: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": index}
    argv = [sys.executable, "-m", "darkpeak", "--version", *arguments]
    return subprocess.run(argv, env={**os.environ, **pip}, capture_output=True, text=True, check=False)


def an_index(folder: Path, *versions: str) -> str:
    page = folder / "simple/darkpeak/index.html"
    page.parent.mkdir(parents=True)
    links = "".join(f'<a href="{WHEEL.format(version)}">x</a>' for version in versions)
    page.write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    return (folder / "simple").as_uri()


def test_nothing_is_asked_without_check() -> None:
    done = ask(GONE)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"darkpeak {__version__}\n", "")


def test_a_newer_release_is_told(tmp_path: Path) -> None:
    index = an_index(tmp_path, __version__, "99.0", "100.0rc1")
    done = ask(index, "--check")
    assert (done.returncode, done.stdout) == (1, f"darkpeak {__version__}\n")
    assert done.stderr.startswith("error: darkpeak 99.0 is out\n")
    assert json.loads(ask(index, "--check", "--json").stdout) == {"version": __version__, "newer": "99.0"}


def test_the_newest_release_says_so(tmp_path: Path) -> None:
    index = an_index(tmp_path, "0.0.1", __version__)
    done = ask(index, "--check")
    assert (done.returncode, done.stdout.splitlines()[1], done.stderr) == (0, "it is the newest release", "")
    assert json.loads(ask(index, "--check", "--json").stdout) == {"version": __version__, "newer": None}


@pytest.mark.parametrize("index", [GONE, "an index of nothing"])
def test_an_index_that_does_not_answer_is_told(tmp_path: Path, index: str) -> None:
    done = ask(GONE if index == GONE else an_index(tmp_path), "--check")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: cannot tell whether a newer release is out, because pip")


@pytest.mark.parametrize("arguments", [("--check",), ("--check", "ports")])
def test_check_is_only_for_the_version(arguments: tuple[str, ...]) -> None:
    argv = [sys.executable, "-m", "darkpeak", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: --check is for --version")
