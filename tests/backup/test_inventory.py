"""What the helper tells of a part beside its size: how many rows count in it."""

import json
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

PROGRAM = resources.files("darkpeak.backup") / "image" / "inventory.py"
EMPTY = "CREATE TABLE a (b int);\nCOPY public.a (b) FROM stdin;\n\\.\n-- PostgreSQL database dump complete\n"
FILLED = EMPTY.replace("\\.\n", "1\n2\n\\.\n")


def rows(folder: Path) -> dict[str, int | None]:
    """Return what it tells of each file."""
    done = subprocess.run([sys.executable, str(PROGRAM), str(folder)], capture_output=True, text=True, check=True)
    return {path: part["rows"] for path, part in json.loads(done.stdout).items()}


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
def test_rows_of_texts(tmp_path: Path, name: str, text: str, found: int | None) -> None:
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
