"""A folder with all that a file system can hold, and everything about each entry."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

TIME = 1_700_000_000_123_456_789
NAMES = (b"new\nline", b"\xff\xfe", b"-rf", b"n" * 255, "ümlaut ✿".encode(), b"a b", b" ", b"\\", b"*")


def make_odd(top: Path, uid: int, gid: int) -> None:
    """Fill a folder: names, links, a FIFO, a sparse file, modes, a hard link; all belongs to another user."""
    for name in NAMES:
        Path(top, os.fsdecode(name)).write_bytes(name)
    (top / "empty").mkdir(mode=0o711)
    (top / "absolute").symlink_to("/etc/passwd")
    (top / "dangling").symlink_to("nowhere")
    (top / "out").symlink_to("../../..")
    (top / "loop").symlink_to("loop")
    (top / "long").symlink_to("x" * 200)
    (top / "deep").mkdir()
    os.link(top / "-rf", top / "deep/hard")
    os.mkfifo(top / "fifo", 0o640)
    with (top / "sparse").open("wb") as file:
        file.seek(50_000_000)
        file.write(b"end")
        file.truncate(90_000_000)
    (top / "modes").write_text("x")
    (top / "sticky").mkdir()
    for path in (top, *top.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)
    (top / "modes").chmod(0o6711)
    (top / "sticky").chmod(0o3777)
    for path in top.rglob("*"):
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)


def listed(top: Path) -> Iterator[tuple[object, ...]]:
    """Yield everything about each entry of a folder."""
    for path in sorted(top.rglob("*")):
        found = path.lstat()
        linked = path.readlink() if path.is_symlink() else None
        content = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        numbers = (found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, found.st_nlink, size)
        yield (path.relative_to(top), *numbers, linked, content)
