"""Backups in folders of this machine: which folder is restored, and what one failure does to the others."""

import os
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.actions.data import back_up_to, find_backup
from darkpeak.deploy.target import Target
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine
from darkpeak.errors import CheckFailed, SystemFailure, UsageError, joined
from tests.making import write_collective

SERVICES = ["chat", "files", "wiki"]


class Here(Target):
    """A target for scripts that call no engine."""

    @property
    def compose(self) -> Compose:
        """Compose with the environment of this process."""
        made = Compose(self.engine, {})
        made.__dict__["environment"] = dict(os.environ)
        return made


@pytest.fixture
def target(tmp_path: Path) -> Target:
    root = tmp_path / "collective"
    root.mkdir()
    found, _ = collective.read(write_collective(root))
    for service in found.services:
        (service.folder / "scripts/backup").write_text('#!/bin/sh\nmkdir "$1"\necho content >"$1/dump"\n')
    return Here(found, Engine("unix:///nonexistent"), found.services)


def script(target: Target, service: str, name: str) -> Path:
    return next(item.folder for item in target.services if item.name == service) / "scripts" / name


def test_a_backup_of_all_goes_on_after_one_that_fails(target: Target, tmp_path: Path) -> None:
    script(target, "directory", "backup").write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    done, failed = back_up_to([target], tmp_path / "today")
    assert [item.service for item in done] == ["wiki"]
    assert [error.message for error in failed] == ["backup of directory failed: broken"]
    assert (tmp_path / "today/wiki/dump").read_text() == "content\n"
    assert (tmp_path / "today/wiki").stat().st_mode & 0o777 == 0o700


def test_a_planted_link_is_not_followed(target: Target, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x/directory").symlink_to(tmp_path / "elsewhere")
    os.chown(tmp_path / "x/directory", 12345, 12345, follow_symlinks=False)
    done, failed = back_up_to([target], tmp_path / "x")
    assert [item.service for item in done] == ["wiki"]
    assert "the link" in failed[0].message
    assert "directory belongs to user 12345" in failed[0].message
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_script_makes_no_folder_where_others_could_put_a_link(target: Target, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x").chmod(0o1777)  # as /tmp is
    with pytest.raises(UsageError, match="other users may write into") as refused:
        back_up_to([target], tmp_path / "x")
    assert refused.value.hint == f"name a new folder in it, for example {tmp_path}/x/backup"
    assert list((tmp_path / "x").iterdir()) == []


def test_several_errors_become_one_with_the_worst_code() -> None:
    errors = [CheckFailed("a", hint="x"), SystemFailure("b", hint="y")]
    assert joined(errors[:1]) is errors[0]
    assert (joined(errors).message, joined(errors).exit_code, joined(errors).hint) == ("a; b", 3, "y")


def make(top: Path, *names: str) -> Path:
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return top


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["wiki/pages.tar", "wiki/SHA256SUMS", "chat/SHA256SUMS"], "wiki"),
        (["pages.tar", "SHA256SUMS"], "."),
        (["wiki.tar"], "."),
        (["wiki/SHA256SUMS", "SHA256SUMS"], "."),
        (["wiki/pages.tar", "notes.txt"], "wiki"),
    ],
    ids=["what --to wrote", "one service's", "an old one", "a part with the service's name", "with a stranger's file"],
)
def test_the_folder_of_a_backup_is_found(tmp_path: Path, files: list[str], found: str) -> None:
    assert find_backup(make(tmp_path, *files), "wiki", SERVICES) == tmp_path / found


def test_a_folder_with_backups_of_others_names_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no backup of wiki") as refused:
        find_backup(make(tmp_path, "chat/SHA256SUMS", "files/x"), "wiki", SERVICES)
    assert "it has backups of chat, files" in refused.value.hint


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        find_backup(tmp_path / "nowhere", "wiki", SERVICES)
