"""Files in a volume: read in place, at one moment, and restored unchanged, with the tool and by hand."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.commands import run, wait_for
from lab.kept import Kept, restore_by_hand, wait_for_line
from tests.live import album
from tests.odd import listed, make_odd

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def empty(kept: Kept) -> Iterator[Kept]:
    """Yield a collective with a new album and a repository."""
    album.add(kept.collective)
    kept.collective.darkpeak("up", album.NAME, timeout=600)
    yield kept
    kept.collective.compose(album.NAME, "down", "--volumes")
    run(["rm", "-r", str(kept.collective.folder(album.NAME))])


def test_an_empty_new_service_is_saved_drilled_and_restored(empty: Kept) -> None:
    saved = empty.darkpeak("backup", album.NAME)
    assert (saved.returncode, "please check" in saved.stderr) == (0, False), saved.stderr
    assert "passed" in empty.darkpeak("drill", album.NAME).stdout
    assert "verified: 0 files" in empty.darkpeak("restore", album.NAME).stdout


@pytest.fixture(scope="module")
def filled(empty: Kept) -> Kept:
    """Return it with files in the album."""
    album.fill(empty.collective, "first")
    return empty


def test_lint_has_no_errors(filled: Kept) -> None:
    assert ": error: " not in filled.collective.darkpeak("lint", album.NAME, check=False).stdout


def test_files_are_restored_unchanged_and_saved_without_a_copy(filled: Kept) -> None:
    before = album.content(filled.collective)
    assert "5:60" in before
    filled.darkpeak("backup", album.NAME)
    newest = filled.snapshots(album.NAME)[-1]["restic_id"]
    with filled.session() as work:
        listed = work.helper.must(*work.repositories.usable()[0].argv("ls", "--json", newest)).decode()
    saved = {item["path"]: item["type"] for item in map(json.loads, listed.splitlines()[1:])}
    assert saved["/staging/album/parts/files"] == "symlink"
    assert saved[f"/volumes/{album.VOLUME}/files/first/deep/1"] == "file"
    album.remove_all(filled.collective)
    album.fill(filled.collective, "another")
    filled.darkpeak("restore", album.NAME)
    assert album.content(filled.collective) == before


def test_a_snapshot_of_files_is_drilled(filled: Kept) -> None:
    filled.darkpeak("backup", album.NAME)
    assert "passed" in filled.darkpeak("drill", album.NAME).stdout
    assert "drill noticed" in filled.darkpeak("drill", album.NAME, "--spoilt").stdout


def test_files_are_restored_by_hand(filled: Kept, tmp_path: Path) -> None:
    before = album.content(filled.collective)
    filled.darkpeak("backup", album.NAME)
    album.remove_all(filled.collective)
    restore_by_hand(filled, album.NAME, tmp_path)
    assert album.content(filled.collective) == before


def test_files_are_restored_with_only_the_scripts(filled: Kept, tmp_path: Path) -> None:
    before = album.content(filled.collective)
    filled.collective.script(album.NAME, "backup", str(tmp_path / "by hand"))
    album.remove_all(filled.collective)
    filled.collective.script(album.NAME, "restore", str(tmp_path / "by hand"))
    assert album.content(filled.collective) == before


@pytest.mark.parametrize("ends", [True, False], ids=["for a while", "all the time"])
def test_files_that_change_while_they_are_read_are_read_again(filled: Kept, ends: bool) -> None:  # noqa: FBT001
    known = [item["name"] for item in filled.snapshots(album.NAME)]
    with album.rewritten(filled.collective) as stop, filled.start("backup", album.NAME) as backup:
        wait_for_line(backup, f"{album.NAME}: files changed")
        if ends:
            stop()
        _, said = backup.communicate(timeout=120)
    names = [item["name"] for item in filled.snapshots(album.NAME)]
    if ends:
        assert (backup.returncode, len(names)) == (0, len(known) + 1), said
        before = album.content(filled.collective)
        filled.darkpeak("restore", album.NAME)
        assert album.content(filled.collective) == before
    else:
        assert "files changed during each of 3 tries" in said
        assert names == known


def test_a_snapshot_without_a_file_that_was_removed_meanwhile_is_deleted(filled: Kept) -> None:
    """It was in the list of files, and is missing when it should be read; the next try succeeds."""
    album.fill_with_much(filled.collective)
    snapshots, packs = filled.snapshots(album.NAME), len(filled.packs())
    with filled.start("backup", album.NAME) as backup:
        wait_for("restic to read", lambda: len(filled.packs()) > packs)
        album.remove_last(filled.collective)
        _, said = backup.communicate(timeout=120)
    assert "files changed while they were read" in said
    assert (backup.returncode, len(filled.snapshots(album.NAME))) == (0, len(snapshots) + 1), said


def test_all_that_a_file_system_can_hold_is_restored(filled: Kept, tmp_path: Path) -> None:
    """With the tool: into the service, into a drill's copy, and into a folder here, where no device is made."""
    album.remove_all(filled.collective)
    files = Path(filled.docker("volume", "inspect", album.VOLUME, "--format", "{{.Mountpoint}}")) / "files"
    (files / "odd").mkdir()
    make_odd(files / "odd", 5, 60)
    os.mknod(files / "odd/device", stat.S_IFCHR | 0o660, os.makedev(1, 3))
    os.chown(files / "odd/device", 7, 7)
    os.setxattr(files / "odd/a b", "user.darkpeak", b"\xff\0")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{os.open(files, os.O_RDONLY)}/socket")
    assert "files has sockets, which are not saved: socket" in filled.darkpeak("backup", album.NAME).stderr
    before = list(listed(files / "odd"))
    assert "passed" in filled.darkpeak("drill", album.NAME).stdout
    album.remove_all(filled.collective)
    filled.darkpeak("restore", album.NAME)
    assert list(listed(files / "odd")) == before
    assert os.getxattr(files / "odd/a b", "user.darkpeak") == b"\xff\0"
    assert (files / "odd/sparse").stat().st_blocks < 1000
    written = filled.darkpeak("restore", album.NAME, "--to", str(tmp_path / "here"), check=False)
    assert (written.returncode, "not written: ./files/odd/device (a device)" in written.stderr) == (1, True)
    here = list(listed(tmp_path / "here/files/odd"))
    assert here == [item for item in before if item[0] != Path("device")]
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o700
