"""All files of a service's folder, as one value that can be compared, changed, packed and written."""

import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from darkpeak.collective.text import LARGEST, NotReadable, read_bytes
from darkpeak.vocabulary import ENVIRONMENT_FILE, ORIGIN_FILE

NOT_COPIED = frozenset({ENVIRONMENT_FILE, ORIGIN_FILE, "__pycache__", ".git"})  # of one collective, or made by programs
LARGEST_FILE = 64 * LARGEST  # a package from elsewhere, such as a wheel
PROGRAM, PLAIN = 0o755, 0o644


@dataclass(frozen=True)
class File:
    """A file: its content, and whether it is a program."""

    content: bytes
    program: bool = False

    @property
    def text(self) -> str | None:
        """Its content as text; None if it is no text."""
        try:
            return None if b"\0" in self.content else self.content.decode()
        except UnicodeDecodeError:
            return None


Files = Mapping[str, File]  # by their names from the folder


def read_files(folder: Path) -> Files:
    """Return all files of a folder but those that belong to one collective, such as .env.

    Raises:
        NotReadable: when something in it is no file, is too large, or cannot be read.
    """
    return {str(path.relative_to(folder)): _read(path) for path in _walk(folder)}


def read_some(folder: Path, names: Iterable[str]) -> Files:
    """Return those of the named files that a folder has.

    Raises:
        NotReadable: when one is no file, is outside the folder, or cannot be read.
    """
    found = {}
    for name in names:
        path = folder / name
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            raise NotReadable(f"{name} is a link", hint="replace it by the file that it leads to")
        if path.exists():
            found[name] = _read(path)
    return found


def write_files(folder: Path, files: Files) -> None:
    """Write files into a folder. A folder that is missing is made, complete or not at all.

    Raises:
        OSError: when something cannot be written.
    """
    if folder.is_dir():
        for name, file in files.items():
            _write(folder / name, file)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        work.chmod(PROGRAM)
        write_files(work, files)
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that exists, in one step: on a full disk it stays as it was.

    Raises:
        OSError: when it cannot be written.
    """
    target = path.resolve()  # a link stays one
    handle, work = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(work).chmod(target.stat().st_mode & 0o7777)
        Path(work).rename(target)
    except BaseException:
        Path(work).unlink(missing_ok=True)
        raise


def pack(files: Files) -> bytes:
    """Return files as a compressed tar archive; the same files give the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, file in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(file.content), PROGRAM if file.program else PLAIN
            archive.addfile(member, io.BytesIO(file.content))
    return packed.getvalue()


def unpack(packed: bytes) -> Files:
    """Return the files that `pack` packed.

    Raises:
        NotReadable: when it is no such archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed)), mode="r:") as archive:
            return dict(_members(archive))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise NotReadable(f"it is not an archive of files: {error}") from error


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    for member in archive:
        parts = PurePosixPath(member.name)
        opened = archive.extractfile(member)
        if opened is None or parts.is_absolute() or ".." in parts.parts or member.size > LARGEST_FILE:
            raise NotReadable(f"the archive has {member.name!r}, which is not a file of a service")
        yield member.name, File(opened.read(), bool(member.mode & 0o111))


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_COPIED:
            continue
        if path.is_symlink():
            raise NotReadable(f"{path.name} is a link", hint="replace it by the file that it leads to")
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _read(path: Path) -> File:
    return File(read_bytes(path, LARGEST_FILE), os.access(path, os.X_OK))


def _write(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    path.chmod(PROGRAM if file.program else PLAIN)
