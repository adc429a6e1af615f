"""Print each part in a folder with its size, hash and rows, as JSON: `python3 -m image.inventory FOLDER`.

Rows are the things to count in a file of a known kind: the rows of a database's dump, the entries of a directory, the
files of an archive. They show whether a dump is empty, which size and hash do not.

A folder among the parts is one part: its rows are its files, and its hash is that of the list of their times, sizes and
names. Their content is verified by restic, which knows everything by its SHA-256. If the folder is a link to a volume,
the output says that. Sockets are never saved, so they are listed.

A link to another part is a part too. Anything else is not: its description has only the reason.
"""

import hashlib
import json
import os
import sqlite3
import stat
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
    """Return the number of rows in a file; None for an unknown kind of file."""
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
    """Return the number of rows in an SQL dump: in INSERT, and between COPY and its end."""
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
    """Return the number of rows in all tables of an SQLite database; 0 if it is damaged."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            names = ('"' + name.replace('"', '""') + '"' for (name,) in tables)
            return sum(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)  # noqa: S608
    except sqlite3.Error:
        return 0


class Listed:
    """The list of the files below a folder: their number, their size, and the hash of the list."""

    def __init__(self, top: Path) -> None:
        self.size = self.rows = 0
        self.sockets: list[str] = []
        self.hash = hashlib.sha256()
        self._add(os.open(top, FOLDER), "")

    def _add(self, folder: int, above: str) -> None:
        """Add the content of an open folder, in the order of the names; files that disappear meanwhile are skipped.

        The folder is open so that the system need not resolve its path again for each of many thousand files.
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
                    elif stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
                        self.sockets.append(name)
                except (FileNotFoundError, NotADirectoryError):
                    continue
        finally:
            os.close(folder)


def folder_part(folder: Path) -> dict[str, Any]:
    """Return the description of a folder that is a part."""
    real = folder.resolve()
    listed = Listed(real)
    volume = {"volume": str(real)} if real.is_relative_to(VOLUMES) else {}
    size = {"size": listed.size, "sha256": listed.hash.hexdigest(), "rows": listed.rows}
    return {**size, "folder": True, "sockets": listed.sockets, **volume}


def part(path: Path) -> dict[str, Any]:
    """Return the description of a part; no FIFO or device is opened, since that could wait for ever."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return link_part(path)
    if stat.S_ISDIR(mode):
        return folder_part(path)
    if stat.S_ISREG(mode):
        return {"size": path.stat().st_size, "sha256": digest(path), "rows": rows(path)}
    return {"left_out": "it is neither a file nor a folder"}


def link_part(path: Path) -> dict[str, Any]:
    """Return the description of a link: the folder of a volume, or another part beside it."""
    target = os.readlink(path)  # noqa: PTH115 (as it is written)
    if Path(os.path.realpath(path)).is_relative_to(VOLUMES) and path.is_dir():
        return folder_part(path)
    if "/" in target or target == path.name or not (path.parent / target).exists():
        return {"left_out": "it is a link that does not lead to another part"}
    text = os.fsencode(target)
    return {"size": len(text), "sha256": hashlib.sha256(b"link " + text).hexdigest(), "rows": None}


def main(folder: Path) -> None:
    """Print the descriptions of all parts."""
    parts = sorted(folder.iterdir()) if folder.is_dir() else []
    sys.stdout.write(json.dumps({path.name: part(path) for path in parts}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
