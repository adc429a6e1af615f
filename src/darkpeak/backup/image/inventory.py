"""Print each file below a folder with its size, hash and rows, as JSON: `python3 inventory.py FOLDER`.

Rows are what counts in a file of a known kind: the rows of a database's dump, the entries of a directory, the files of
an archive. A dump of an empty database has a size and a hash like any other.
"""

import hashlib
import json
import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


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


def main(folder: Path) -> None:
    """Print it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {
        str(path.relative_to(folder)): {"size": path.stat().st_size, "sha256": digest(path), "rows": rows(path)}
        for path in files
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
