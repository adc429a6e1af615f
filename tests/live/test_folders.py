"""Folders for backups: no other user can redirect what is written there. Needs root, for files of another user."""

import os
from pathlib import Path

import pytest

from darkpeak import folders
from darkpeak.errors import UsageError

STRANGER = 12345


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder of a stranger with mode 777, like /tmp/x."""
    folder = tmp_path / "x"
    folder.mkdir()
    folder.chmod(0o777)
    os.chown(folder, STRANGER, STRANGER)
    return folder


@pytest.mark.parametrize("name", ["x", "x/new", "x/new/deeper", "x/link", "x/../x/new"])
def test_a_strangers_folder_is_refused(top: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (top / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"x belongs to user 12345, who could replace what is written to .*x"):
        folders.make_private(Path(f"{tmp_path}/{name}"))
    assert [path.name for folder in (top, tmp_path / "elsewhere") for path in folder.iterdir()] == ["link"]


def test_a_folder_into_which_all_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x").chmod(0o777)
    with pytest.raises(UsageError, match=r"other users may write into .*/x, and could replace"):
        folders.make_private(tmp_path / "x/new")


def test_a_folder_into_which_another_group_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    os.chown(tmp_path / "x", 0, STRANGER)
    (tmp_path / "x").chmod(0o770)
    with pytest.raises(UsageError, match="other users may write"):
        folders.make_private(tmp_path / "x")


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_in_a_folder_like_tmp_what_a_stranger_planted_is_refused(tmp_path: Path, kind: str) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    (tmp_path / "elsewhere").mkdir()
    planted = shared / "directory"
    if kind == "link":
        planted.symlink_to(tmp_path / "elsewhere")
    else:
        planted.mkdir()
    os.chown(planted, STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(UsageError, match=r"directory belongs to user 12345"):
        folders.make_private(planted)
    assert folders.make_private(shared / "mine") == shared / "mine"


def test_a_link_in_the_way_is_followed_only_if_it_is_ones_own(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "today").symlink_to("disk")
    assert folders.make_private(tmp_path / "today/wiki") == tmp_path / "disk/wiki"
    os.chown(tmp_path / "today", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(UsageError, match=r"the link .*today belongs to user 12345"):
        folders.make_private(tmp_path / "today/wiki")


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = folders.make_private(tmp_path / "a/b/c")
    finally:
        os.umask(before)
    assert [oct(path.stat().st_mode & 0o777) for path in (made, made.parent)] == ["0o700", "0o700"]


def test_an_empty_folder_becomes_private_and_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    assert folders.make_empty(tmp_path / "a").stat().st_mode & 0o777 == 0o700
    (tmp_path / "a/file").touch()
    with pytest.raises(UsageError, match="is not empty"):
        folders.make_empty(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "said"),
    [("file", "is not a folder"), ("file/x", "cannot be made: Not a directory"), ("loop", "is a loop of links")],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match=said):
        folders.make_private(tmp_path / name)


def test_the_user_who_called_sudo_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", STRANGER, STRANGER)
    with pytest.raises(UsageError, match="belongs to user 12345"):
        folders.make_private(tmp_path / "home/today")
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    folders.make_private(tmp_path / "home/today")
