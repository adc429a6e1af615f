"""Find texts in volumes: `python3 -m image.search FOLDER…`, with the texts as a JSON list on standard input.

Prints one JSON list a line: the folder, the place in it, and the texts that are there, in the content or in the name.
All of a repository of git is one place. Without texts, a place could not be read. Files that disappear meanwhile are
skipped.
"""

import json
import os
import stat
import sys
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from .texts import CHUNK, PACK, Search, inflate, is_compressed, objects_of

GIT = ".git"
GONE = (FileNotFoundError, NotADirectoryError)


def main(folders: list[str], texts: list[str]) -> None:
    """Search the folders."""
    search = Search(texts)
    for folder in folders:
        places: dict[str, set[str]] = {}
        unread: list[OSError] = []
        for path in files(folder, unread):
            found = in_file(search, path, os.path.relpath(path, folder), unread)
            if found:
                places.setdefault(place_of(os.path.relpath(path, folder)), set()).update(found)
        for place, found in sorted(places.items()):
            sys.stdout.write(json.dumps([folder, place, sorted(found)]) + "\n")
        for place in sorted({unread_place(error, folder) for error in unread if not isinstance(error, GONE)}):
            sys.stdout.write(json.dumps([folder, place, []]) + "\n")


def files(folder: str, unread: list[OSError]) -> Iterator[str]:
    """Yield the paths of all files and links below a folder, and of folders too, for their names."""
    for above, folders, names in os.walk(folder, onerror=unread.append):
        for name in (*folders, *names):
            yield str(Path(above, name))


def place_of(name: str) -> str:
    """Return the place of a file: itself, or the repository of git in which it is."""
    parts = Path(name).parts
    top = next((number for number, part in enumerate(parts) if part.endswith(GIT)), len(parts))
    return os.fsencode(str(Path(*parts[: top + 1]))).decode(errors="replace")


def unread_place(error: OSError, folder: str) -> str:
    """Return what could not be read, and why."""
    return f"{place_of(os.path.relpath(os.fsdecode(error.filename or folder), folder))}: {error.strerror}"


def in_file(search: Search, path: str, name: str, unread: list[OSError]) -> set[str]:
    """Return the texts in a file's name and content, or in the target of a link."""
    found = search.find([os.fsencode(name)])
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            found |= search.find([os.fsencode(os.readlink(path))])  # noqa: PTH115 (as it is written)
        elif stat.S_ISREG(mode):
            with Path(path).open("rb") as file:
                found |= in_content(search, file)
    except OSError as error:
        unread.append(OSError(error.errno, error.strerror, path))  # a failed read() has no name
    return found


def in_content(search: Search, file: BinaryIO) -> set[str]:
    """Return the texts in an open file, as it is and without compression."""
    found = search.find(chunks_of(file))
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    if head == PACK:
        with mmap(file.fileno(), 0, access=ACCESS_READ) as pack:
            found |= search.find(objects_of(pack))
    elif is_compressed(head):
        found |= search.find(inflate(chunks_of(file)))
    return found


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of an open file."""
    return iter(lambda: file.read(CHUNK), b"")


if __name__ == "__main__":
    main(sys.argv[1:], json.load(sys.stdin))
