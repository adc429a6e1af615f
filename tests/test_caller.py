"""Who runs a command, and from which commit."""

from pathlib import Path

import pytest

from darkpeak.caller import commit_of, mail
from lab.commands import run


def commit(folder: Path, text: str) -> None:
    """Write a file and commit it."""
    (folder / "file").write_text(text)
    git = ("git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@x.test")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", text)):
        run((*git, *words))


def test_the_commit_of_a_folder_has_a_mark_if_files_differ_from_it(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    commit(tmp_path, "first")
    found = commit_of(tmp_path)
    assert found == run(("git", "-C", str(tmp_path), "rev-parse", "--short", "HEAD")).stdout.strip()
    (tmp_path / "file").write_text("second")
    assert commit_of(tmp_path) == f"{found}+"


def test_a_server_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(tmp_path, "first")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert (commit_of(tmp_path), mail(tmp_path)) == ("", "")
