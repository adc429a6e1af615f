"""The helper's description of a part: its rows, and a folder's hash."""

import hashlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(str(resources.files("darkpeak.helper"))) / "image" / "inventory.py"
EMPTY = "CREATE TABLE a (b int);\nCOPY public.a (b) FROM stdin;\n\\.\n-- PostgreSQL database dump complete\n"
FILLED = EMPTY.replace("\\.\n", "1\n2\n\\.\n")


def parts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the description of each part."""
    done = subprocess.run([sys.executable, str(PROGRAM), str(folder)], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def rows(folder: Path) -> dict[str, int | None]:
    """Return the number of rows of each part."""
    return {path: part["rows"] for path, part in parts(folder).items()}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.sql", EMPTY, 0),
        ("a.sql", FILLED, 2),
        ("a.sql", "CREATE TABLE a (b int);\n", 0),
        ("a.sql", "INSERT INTO `a` VALUES\n(1),\n(2);\n", 3),
        ("a.ldif", "dn: a\nb: c\n\ndn: d\n", 2),
        ("a.tar", "no archive", 0),
        ("a.db", "no database", 0),
        ("a.txt", "anything", None),
    ],
)
def test_rows_of_text_files(tmp_path: Path, name: str, text: str, found: int | None) -> None:
    (tmp_path / name).write_text(text)
    assert rows(tmp_path) == {name: found}


def test_rows_of_an_archive_are_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("a")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "in", "in")
    assert rows(tmp_path)["a.tar"] == 1


def test_rows_of_a_database(tmp_path: Path) -> None:
    for name, values in (("some.db", (1, 2, 3)), ("none.db", ())):
        with closing(sqlite3.connect(tmp_path / name)) as database, database:
            database.execute('CREATE TABLE "odd ""name" (b int)')
            database.executemany('INSERT INTO "odd ""name" VALUES (?)', [(value,) for value in values])
    assert rows(tmp_path) == {"some.db": 3, "none.db": 0}


def test_a_folder_is_one_part(tmp_path: Path) -> None:
    (tmp_path / "files/deep").mkdir(parents=True)
    (tmp_path / "files/deep/a").write_text("some")
    (tmp_path / "files/b").write_text("words")
    (tmp_path / "files/link").symlink_to("b")
    found = parts(tmp_path)["files"]
    assert (found["size"], found["rows"]) == (9, 2)
    assert (found["folder"], found["sockets"], "volume" in found) == (True, [], False)


def test_parts_that_are_no_files_are_described_and_none_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    os.mkfifo("fifo")
    Path("dump.sql").write_text(FILLED)
    Path("files").mkdir()
    for name in ("socket", "files/socket"):
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(name)
    targets = {"newest": "dump.sql", "lost": "nowhere", "passwords": "/etc/passwd", "up": "../x", "loop": "loop"}
    for name, target in targets.items():
        Path(name).symlink_to(target)
    Path(os.fsdecode(b"\xff\n")).write_text("x")
    found = parts(tmp_path)
    kinds = {name: part.get("left_out", "a part") for name, part in found.items()}
    link = "it is a link that does not lead to another part"
    assert kinds == {
        **dict.fromkeys(("dump.sql", "files", "newest", "\udcff\n"), "a part"),
        **dict.fromkeys(("lost", "passwords", "up", "loop"), link),
        **dict.fromkeys(("fifo", "socket"), "it is neither a file nor a folder"),
    }
    assert found["files"]["sockets"] == ["socket"]
    assert found["newest"]["size"] == len("dump.sql")


def test_a_link_to_another_part_is_the_same_after_a_restore(tmp_path: Path) -> None:
    """A restore writes the files below their whole path; gather moves the parts to the top."""
    saved = tmp_path / "staging/chat/parts"
    (tmp_path / "volumes/data/files").mkdir(parents=True)
    (tmp_path / "volumes/data/files/a").write_text("a")
    saved.mkdir(parents=True)
    (saved / "dump.sql").write_text(FILLED)
    (saved / "newest").symlink_to("dump.sql")
    before = parts(saved)
    (saved / "files").symlink_to("../../../volumes/data/files")
    (saved / "out").symlink_to("/etc")
    (saved / "up").symlink_to("../../../../..")
    subprocess.run([sys.executable, str(PROGRAM.with_name("gather.py")), str(tmp_path), "/staging/chat"], check=True)
    after = parts(tmp_path / "parts")
    assert after.pop("files")["rows"] == 1
    assert after == before


def test_a_link_in_place_of_the_parts_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/link").symlink_to("/etc")
    (tmp_path / "top/staging/chat").mkdir(parents=True)
    (tmp_path / "top/staging/chat/parts").symlink_to(tmp_path / "elsewhere")
    argv = [sys.executable, str(PROGRAM.with_name("gather.py")), str(tmp_path / "top"), "/staging/chat"]
    subprocess.run(argv, check=False, capture_output=True)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["link"]
    assert parts(tmp_path / "top/parts") == {}


def gone(files: Path) -> None:
    (files / "a").unlink()


def another_time(files: Path) -> None:
    os.utime(files / "a", ns=(1, 1))


def swapped(files: Path) -> None:
    (files / "a").rename(files / "c")
    (files / "b").rename(files / "a")
    (files / "c").rename(files / "b")


def more(files: Path) -> None:
    before = (files / "a").stat()
    (files / "a").write_text("somewhat")
    os.utime(files / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [gone, another_time, swapped, more])
def test_a_changed_folder_has_another_hash(tmp_path: Path, change: Callable[[Path], None]) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number, name in enumerate("ab"):
        (files / name).write_text("some")
        os.utime(files / name, ns=(0, number))
    before = parts(tmp_path)["files"]["sha256"]
    assert parts(tmp_path)["files"]["sha256"] == before
    change(files)
    assert parts(tmp_path)["files"]["sha256"] != before


def test_the_hash_of_a_folder_is_still_that_of_existing_snapshots(tmp_path: Path) -> None:
    for name in ("files/b", "files/a/c", "files/a/b", "files/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(0, 1_500_000_000_123_456_789))
    listed = [("a/b", 9), ("a/c", 9), ("a.txt", 11), ("b", 7)]
    text = "".join(f"1500000000123456789 {size} {name}\0" for name, size in listed)
    assert parts(tmp_path)["files"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
