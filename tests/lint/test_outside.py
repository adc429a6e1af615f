"""What shellcheck and hadolint say is read as findings; what they say is remembered by content."""

import json
from pathlib import Path

import pytest

from darkpeak.collective import read
from darkpeak.deploy import linters
from darkpeak.deploy.linters import missing, run_linters
from darkpeak.lint.outside import is_shell
from tests.making import edit, write_collective

BACKUP = "services/wiki/scripts/backup"
BUILD = "services/wiki/webserver/Dockerfile"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "collective").mkdir()
    write_collective(tmp_path / "collective")
    for file in (tmp_path / "collective").glob("services/*/*/Dockerfile"):
        file.write_text(file.read_text().replace("upgrade -y", "upgrade -y && rm -rf /var/lib/apt/lists/*"))
    return tmp_path / "collective"


def said(root: Path) -> list[str]:
    found = read(root)[0]
    return [f"{item.at} {item.rule}: {item.what.partition(':')[0]}" for item in run_linters(found, found.services)]


def test_both_linters_are_installed_here() -> None:
    assert missing() == ()


def test_a_sound_collective_has_no_findings_of_them(root: Path) -> None:
    assert said(root) == []


def test_a_script_and_a_dockerfile_are_checked(root: Path) -> None:
    edit(root, BACKUP, "#!/bin/sh\n", "#!/bin/sh\nset -eu\nrm -r $1\n")
    edit(root, BUILD, "EXPOSE", "WORKDIR srv\nEXPOSE")
    expected = [f"{BACKUP}:3 shellcheck: SC2086", f"{BUILD}:2 hadolint: DL3000"]
    assert said(root) == expected
    assert said(root) == expected, "what was remembered"


def test_what_was_said_is_not_asked_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(root, BACKUP, "#!/bin/sh\n", "#!/bin/sh\nset -eu\nrm -r $1\n")
    expected = said(root)
    broken = linters.Linter("shellcheck", (*linters.SHELLCHECK.options,), lambda _output: {"unexpected": []})
    monkeypatch.setattr(linters, "SHELLCHECK", broken)
    assert said(root) == expected
    edit(root, BACKUP, "rm -r $1", "rm -r -f $1")
    assert said(root) == [], "the changed file is asked about again"


def test_without_the_programs_nothing_is_found_and_it_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(root, BACKUP, "#!/bin/sh\n", "#!/bin/sh\nset -eu\nrm -r $1\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    assert said(root) == []
    assert missing() == ("shellcheck", "hadolint")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#!/bin/sh\n", True),
        ("#!/usr/bin/env bash\n", True),
        ("#!/bin/bash -eu\n", True),
        ("#!/usr/bin/python3\n", False),
        ("sh\n", False),
        ("", False),
    ],
)
def test_only_shell_scripts_are_for_shellcheck(text: str, *, expected: bool) -> None:
    assert is_shell(text) is expected


def test_the_services_of_this_repository_have_no_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert said(Path(__file__).parent.parent.parent) == []
    known = json.loads((tmp_path / "darkpeak/resolved/linted.json").read_text())
    assert len(known) > 40
