"""Unpack an archive into a folder of this machine, and write nothing outside the folder, whatever the archive contains.

Every name is opened step by step below the folder, and no link is followed on the way. A link in the archive is made as
it is, and is never used to write another entry. Devices are not made; what cannot be made is returned with the reason.
"""

import errno
import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from darkpeak.folders import PRIVATE
from darkpeak.result import display

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK = 1 << 16
ALL_BITS, SAFE_BITS = 0o7777, 0o777  # with and without setuid, setgid and sticky
NANOSECONDS = 10**9
TIME = re.compile(r"-?\d{1,11}(\.\d{1,20})?")  # seconds
XATTR = "SCHILY.xattr."
KEPT_XATTRS = "user."
FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}


@dataclass(frozen=True)
class LeftOut:
    """An entry of the archive that was not made, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{display(self.name)} ({self.why})"


class Refused(Exception):
    """An entry that must not be made, or cannot be."""


def unpack(stream: IO[bytes], target: Path, *, owners: bool) -> list[LeftOut]:
    """Unpack a tar archive into an empty folder; return what was left out.

    With `owners` (this needs root), files keep their owners, and setuid, setgid and sticky bits; else they are the
    caller's, without these bits.

    Raises:
        OSError, tarfile.TarError, ValueError: when the archive is damaged, or the disk is full.
    """
    unpacker = Unpacker(os.open(target, FOLDER), owners)
    try:
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
            for member in archive:
                unpacker.add(archive, member)
        unpacker.finish()
    finally:
        os.close(unpacker.top)
    return unpacker.left_out


@dataclass
class Unpacker:
    """Makes the entries of an archive below an open folder."""

    top: int
    owners: bool
    left_out: list[LeftOut] = field(default_factory=list)
    _folders: list[tuple[tuple[str, ...], tarfile.TarInfo]] = field(default_factory=list)

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Make one entry, or note why it is left out."""
        try:
            parts = split(member.name)
            if parts:  # the folder itself stays as the caller made it
                self._make(archive, member, parts)
        except Refused as error:
            self.left_out.append(LeftOut(member.name, str(error)))
        except OSError as error:
            if error.errno in FATAL:
                raise
            self.left_out.append(LeftOut(member.name, error.strerror or str(error)))
        except (ValueError, OverflowError) as error:  # of a number or a name that the system cannot have
            self.left_out.append(LeftOut(member.name, str(error)))

    def finish(self) -> None:
        """Set the modes and times of folders, the innermost first: entries made later would change their times."""
        for parts, member in sorted(self._folders, key=lambda item: len(item[0]), reverse=True):
            with suppress(Refused, OSError), self._opened(parts) as folder:
                self._set(folder, member)

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        make = self._maker(archive, member)
        if member.isdir():
            with self._opened(parts):
                self._folders.append((parts, member))
            return
        with self._opened(parts[:-1]) as folder:
            with suppress(FileNotFoundError):
                os.unlink(parts[-1], dir_fd=folder)  # the later of two entries counts, as with tar
            make(folder, parts[-1])

    def _maker(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[int, str], None]:
        """Return what makes an entry that is no folder, in an open folder and with a name.

        Raises:
            Refused: for an entry of a kind that is not made.
        """
        if member.isreg() or member.issparse():
            return lambda folder, name: self._make_file(archive, member, folder, name)
        if member.issym():
            return lambda folder, name: self._make_link(member, folder, name)
        if member.islnk():
            return lambda folder, name: self._make_hard_link(member, folder, name)
        if member.isfifo():
            return lambda folder, name: self._make_fifo(member, folder, name)
        if member.isdir():
            return lambda _, __: None
        raise Refused("a device" if member.isdev() else f"of an unknown kind, {member.type!r}")

    def _make_file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, folder: int, name: str) -> None:
        source: Any = archive.extractfile(member)
        file = os.open(name, NEW_FILE, 0o600, dir_fd=folder)
        try:
            for start, size in _extents(member):
                source.raw.seek(start)  # over holes; the buffered reader needs an archive in which it can go back
                _copy(source.raw, file, start, size)
            os.ftruncate(file, member.size)
            for key, value in member.pax_headers.items():
                if key.startswith(XATTR + KEPT_XATTRS):
                    with suppress(OSError):  # not every file system has them
                        os.setxattr(file, key.removeprefix(XATTR), value.encode(errors="surrogateescape"))
            self._set(file, member)
        finally:
            os.close(file)

    def _make_link(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        os.symlink(member.linkname, name, dir_fd=folder)
        if self.owners:
            os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        os.utime(name, ns=_times(member), dir_fd=folder, follow_symlinks=False)

    def _make_hard_link(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        parts = split(member.linkname)
        if not parts:
            raise Refused("a hard link to the folder itself")
        with self._opened(parts[:-1], make=False) as other:
            os.link(parts[-1], name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)

    def _make_fifo(self, member: tarfile.TarInfo, folder: int, name: str) -> None:
        os.mkfifo(name, 0o600, dir_fd=folder)
        if self.owners:
            os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        os.chmod(name, member.mode & SAFE_BITS, dir_fd=folder)
        os.utime(name, ns=_times(member), dir_fd=folder, follow_symlinks=False)

    def _set(self, file: int, member: tarfile.TarInfo) -> None:
        if self.owners:
            os.fchown(file, member.uid, member.gid)
        # The mode after the owner: a change of owner removes setuid and setgid.
        os.fchmod(file, member.mode & (ALL_BITS if self.owners else SAFE_BITS))
        os.utime(file, ns=_times(member))

    @contextmanager
    def _opened(self, parts: tuple[str, ...], *, make: bool = True) -> Iterator[int]:
        """Open a folder below the top, through folders only; missing ones are made."""
        current = os.dup(self.top)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, PRIVATE, dir_fd=current)
                try:
                    following = os.open(part, FOLDER, dir_fd=current)
                except OSError as error:
                    raise Refused(_why_closed(part, current, error)) from error
                os.close(current)
                current = following
            yield current
        finally:
            os.close(current)


def split(name: str) -> tuple[str, ...]:
    """Return the parts of a name in an archive.

    Raises:
        Refused: when it leads out of the folder, or when no file can have it.
    """
    if name.startswith("/"):
        raise Refused("an absolute name")
    if "\0" in name:
        raise Refused("a name with a NUL byte")
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise Refused("its name leads out of the folder")
    return parts


def _why_closed(part: str, folder: int, error: OSError) -> str:
    with suppress(OSError):
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            return f"it is below the link {display(part)}"
    return f"{display(part)}: {error.strerror}"


def _extents(member: tarfile.TarInfo) -> list[tuple[int, int]]:
    """Return the places and sizes of a file's data; all else are holes."""
    sparse: Any = member.sparse  # its type is not what the library says
    return list(sparse) if sparse is not None else [(0, member.size)]


def _copy(source: IO[bytes], file: int, start: int, size: int) -> None:
    """Copy a part of a file to the same place; what is never written stays a hole."""
    while size > 0:
        block = source.read(min(BLOCK, size))
        if not block:
            raise tarfile.ReadError("unexpected end of data")
        written = os.pwrite(file, block, start)
        while written < len(block):
            written += os.pwrite(file, block[written:], start + written)
        start, size = start + len(block), size - len(block)


def _times(member: tarfile.TarInfo) -> tuple[int, int]:
    """Return an entry's time twice, in nanoseconds; the archive has it as a text, which a float would round."""
    written = member.pax_headers.get("mtime", "")
    when = int(Decimal(written) * NANOSECONDS) if TIME.fullmatch(written) else int(member.mtime) * NANOSECONDS
    return when, when
