"""Print each part in a folder with its size, hash and rows, as JSON: `python3 -m image.inventory FOLDER`.

Rows are what counts in a file of a known kind: the rows of a database's dump, the entries of a directory, the files of
an archive. A dump of an empty database has a size and a hash like any other.

A folder among the parts is one part: its rows are its files, and its hash is that of their list, with each one's time,
size and name. What is in them restic knows, which names everything that it reads by its SHA-256. Where the folder is a
link to a volume, that is told with it.
"""

import hashlib
import json
import os
import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

VOLUMES = Path("/volumes")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows(path: Path) -> int | None:
    """Return how many rows a file has; None for a kind that is not known."""
    if path.suffix == ".sql":
        return sql_rows(path)
    if path.suffix in {".db", ".sqlite"}:
        return database_rows(path)
    if path.suffix == ".ldif":
        with path.open("rb") as file:
            return sum(line.startswith(b"dn:") for line in file)
    if path.suffix == ".tar":
        try:
            with tarfile.open(path, "r:") as archive:
                return sum(member.isfile() for member in archive)
        except tarfile.TarError:
            return 0
    return None


def sql_rows(path: Path) -> int:
    """Count what is inserted, and what stands between COPY and its end."""
    found, copying = 0, False
    with path.open("rb") as file:
        for line in file:
            if copying:
                copying = line.rstrip() != b"\\."
                found += copying
            elif line.startswith(b"COPY "):
                copying = True
            else:
                found += line.startswith((b"INSERT INTO", b"("))
    return found


def database_rows(path: Path) -> int:
    """Count the rows of all tables of an SQLite database; of one that is damaged, none."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            names = ('"' + name.replace('"', '""') + '"' for (name,) in tables)
            return sum(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)  # noqa: S608
    except sqlite3.Error:
        return 0


class Listed:
    """The files below a folder: how many, how large, and the hash of their list."""

    def __init__(self, top: Path) -> None:
        self.size = self.rows = 0
        self.hash = hashlib.sha256()
        self._add(os.open(top, FOLDER), "")

    def _add(self, folder: int, above: str) -> None:
        """Add what is in an open folder, in the order of the names; what goes meanwhile is left out.

        Open, so that the system does not follow its path again for each of many thousand files.
        """
        try:
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                name = above + entry.name
                try:
                    if entry.is_dir(follow_symlinks=False):
                        self._add(os.open(entry.name, FOLDER, dir_fd=folder), name + "/")
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        self.hash.update(f"{found.st_mtime_ns} {found.st_size} ".encode() + os.fsencode(name) + b"\0")
                        self.size += found.st_size
                        self.rows += 1
                except (FileNotFoundError, NotADirectoryError):
                    continue
        finally:
            os.close(folder)


def folder_part(folder: Path) -> dict[str, Any]:
    """Describe a folder."""
    lies = folder.resolve()
    listed = Listed(lies)
    volume = {"volume": str(lies)} if lies.is_relative_to(VOLUMES) else {}
    return {"size": listed.size, "sha256": listed.hash.hexdigest(), "rows": listed.rows, **volume}


def part(path: Path) -> dict[str, Any]:
    """Describe a part."""
    if path.is_dir():
        return folder_part(path)
    return {"size": path.stat().st_size, "sha256": digest(path), "rows": rows(path)}


def main(folder: Path) -> None:
    """Print it."""
    parts = sorted(folder.iterdir()) if folder.is_dir() else []
    sys.stdout.write(json.dumps({path.name: part(path) for path in parts}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
