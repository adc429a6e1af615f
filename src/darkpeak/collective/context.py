"""The files from which a container is built, each with a short hash. Docker sends all files of the folder."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from darkpeak.collective.text import NotReadable, kind_of, open_file

MOST_FILES = 20_000
LARGEST = 1 << 30  # bytes, of all files together: hashing them takes two or three seconds
BLOCK = 1 << 20
HASH_LENGTH = 12
COPIED = ", which Docker all copies at each build"
ELSEWHERE = "move what the build does not need to another folder"


def hash_folder(folder: Path, build: str) -> dict[str, str]:
    """Return a short hash of each file from which a container is built, by its name from the service's folder.

    Only what the folder `build` itself contains: a link is hashed as a link, as Docker sends it.

    Raises:
        NotReadable: when it has something that is no file, or far too much, or cannot be read.
    """
    top = os.path.normpath(folder / build)
    if not os.path.isdir(top):  # noqa: PTH112 (text, since pathlib is slow with many files)
        return {}  # an address, or a folder that is missing: lint has a finding
    prefix = "" if top == str(folder) else f"{os.path.relpath(top, folder)}/"
    try:
        names = sorted(_walk(top), key=lambda name: name.split("/"))
        return dict(_hashes((os.path.join(top, name), prefix + name) for name in names))  # noqa: PTH118
    except OSError as error:
        raise NotReadable(
            f"{error.filename} cannot be read: {error.strerror}", hint="see its owner and mode"
        ) from error


def hash_files(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return a short hash of each of these files, by its name from the service's folder; one may be missing.

    Raises:
        NotReadable: when one is no file, or too large, or cannot be read.
    """
    there = [path for path in paths if os.path.lexists(path)]
    return dict(_hashes((str(path), os.path.relpath(path, folder)) for path in there))


def _hashes(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    left = LARGEST
    for path, name in files:
        shown = name if name.isprintable() else ascii(name)[1:-1]
        digest, size = _hash(Path(path), shown, left)
        left -= size
        yield shown, digest


def _walk(top: str) -> Iterator[str]:
    """Yield the name of everything in a folder that is no folder; links in it are not followed."""
    number, folders = 0, [""]
    while folders:
        folder = folders.pop()
        with os.scandir(os.path.join(top, folder)) as entries:  # noqa: PTH118 (many files: pathlib is slow)
            for entry in entries:
                name = folder + entry.name
                number += 1
                if number > MOST_FILES:
                    raise NotReadable(f"its folder has more than {MOST_FILES} files{COPIED}", hint=ELSEWHERE)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                else:
                    yield name


def _hash(path: Path, shown: str, most: int) -> tuple[str, int]:
    """Return the hash and the size of one file."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return short_hash(b"l" + os.fsencode(path.readlink())), 0
    if not stat.S_ISREG(found.st_mode):
        raise NotReadable(f"{shown} is {kind_of(found.st_mode)}, which Docker cannot copy", hint="remove it")
    if found.st_size > most:
        raise NotReadable(f"its folder has more than {LARGEST >> 30} GiB{COPIED}", hint=ELSEWHERE)
    digest = hashlib.sha256(b"x" if found.st_mode & 0o111 else b"-")
    with open_file(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()[:HASH_LENGTH], found.st_size


def short_hash(content: bytes) -> str:
    """Return a short hash of some content."""
    return hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
