"""Read the files of a collective. A file that cannot be read as text never stops or delays anything: it is a finding.

A folder can contain a link to /dev/zero, or a FIFO, whose opening waits for a writer. Such files are refused.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 20  # bytes of a file that is written by hand
# O_NONBLOCK: the file may become a FIFO after it was looked at.
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
KINDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotReadable(ValueError):
    """What is wrong with a file or its text, at this line, and what to do."""

    def __init__(self, message: str, line: int = 1, hint: str = "restore it from git, or write it again") -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


class Missing(NotReadable):
    """There is no such file."""


def read(path: Path) -> str:
    """Return the text of a file. It may begin with a byte order mark, which compose and Docker skip too.

    Raises:
        Missing: when there is no such file.
        NotReadable: when it is no file, is too large, is not UTF-8, has a NUL, or cannot be read.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotReadable("the file is not UTF-8 text", line, "save it as UTF-8") from error
    if "\0" in text:  # as in UTF-16 without a byte order mark
        line = text.count("\n", 0, text.index("\0")) + 1
        raise NotReadable("the file contains the character U+0000", line, "save it as UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_or_empty(path: Path) -> str:
    """Return the text of a file, or an empty text if it cannot be read: for files that others check."""
    try:
        return read(path)
    except NotReadable:
        return ""


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Return the content of a file.

    Raises:
        Missing: when there is no such file.
        NotReadable: when it is no file, has more than `largest` bytes, or cannot be read.
    """
    with open_file(path) as file:
        try:
            content = file.read(largest + 1) or b""  # None: it is a file of /proc that would wait
        except OSError as error:
            raise _unreadable(path, error) from error
    if len(content) > largest:
        raise NotReadable(f"the file is larger than {largest >> 10} KiB", hint="make it smaller")
    return content


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading, without ever waiting.

    Raises:
        Missing: when there is no such file.
        NotReadable: when it is no file, or cannot be read.
    """
    try:
        _require_file(path.stat())  # before it is opened, since opening some devices does something
        file = os.fdopen(os.open(path, READ), "rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        if isinstance(error, NotReadable):
            raise
        raise NotReadable("the file's name contains a NUL byte") from error
    try:
        _require_file(os.fstat(file.fileno()))
    except NotReadable:
        file.close()
        raise
    return file


def kind_of(mode: int) -> str:
    """Return what something with this mode is: `a FIFO`."""
    return next((name for test, name in KINDS if test(mode)), "no file")


def _require_file(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotReadable(f"it is {kind_of(found.st_mode)}, not a file")


def _unreadable(path: Path, error: OSError) -> NotReadable:
    if os.path.islink(path):  # noqa: PTH114 (is_symlink() raises an error for a name that is too long)
        return NotReadable(f"it is a link that cannot be followed: {error.strerror}")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Missing("the file is missing")
    return NotReadable(f"it cannot be read: {error.strerror}", hint=f"see its owner and its mode: ls -l {path.name}")
