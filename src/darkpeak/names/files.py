"""This machine's files about names: looked at, written, and put back byte for byte."""

import errno
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkpeak import process
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.names.setup import MACOS_FOLDER, OWN_FILES, PLAIN_FILE, SHARED_FILES, SIGNS, Change, Setup, Surroundings

MARK = "# Made by `darkpeak dns setup`, and removed by `darkpeak dns undo`.\n"
FOLDER_MARK = "# So is its folder.\n"
BEGIN = "# darkpeak dns setup: begin\n"
END = "# darkpeak dns setup: end\n"
READABLE = 0o644
SYSTEMCTL = "systemctl"


def look() -> Surroundings:
    """Return what this machine's files say of how it finds names."""
    plain = Path(PLAIN_FILE)
    text = plain.read_text(errors="replace") if plain.is_file() else ""
    there = frozenset(sign for sign in SIGNS if Path(sign).exists())
    return Surroundings(platform.system(), text, str(plain.resolve()) if plain.is_symlink() else "", there)


def waiting(setup: Setup) -> tuple[Change, ...]:
    """Return the changes that are not made yet."""
    return tuple(change for change in setup.changes if _current(change) != _wanted(change))


def check(setup: Setup) -> None:
    """See that nothing stands in the way, before anything is touched.

    Raises:
        UsageError: when a file of that name is somebody else's.
        SystemFailure: when a program is missing.
    """
    for change in setup.changes:
        if change.own and _current(change) and not _current(change).startswith(MARK.encode()):
            raise UsageError("a file is in the way that is not ours", where=change.path, hint="move it, then again")
        if not Path(change.path).parent.parent.is_dir():
            raise SystemFailure(f"there is no {Path(change.path).parent.parent}", where=change.path)
    for program, package in setup.programs:
        if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
            raise SystemFailure(f"{setup.note or program}; it is not installed", hint=f"apt-get install {package}")


def write(change: Change) -> None:
    """Make one change.

    Raises:
        SystemFailure: when this login may not.
    """
    with _explained(Path(change.path)):
        folder = Path(change.path).parent
        folder_mark = ""
        if change.own and not folder.is_dir():
            folder.mkdir(mode=0o755)
            folder_mark = FOLDER_MARK
        _put(Path(change.path), _wanted(change, folder_mark))


def undo() -> list[str]:
    """Take back all that was ever written, and return the files.

    Raises:
        SystemFailure: when this login may not.
    """
    done = []
    for path in (*map(Path, OWN_FILES), *sorted(Path(MACOS_FOLDER).glob("*"))):
        content = _read(path)
        if content.startswith(MARK.encode()):
            with _explained(path):
                path.unlink()
                if content.startswith((MARK + FOLDER_MARK).encode()) and not list(path.parent.iterdir()):
                    path.parent.rmdir()
            done.append(str(path))
    for path in map(Path, SHARED_FILES):
        content = _read(path)
        if content != _without_ours(content):
            with _explained(path):
                _put(path, _without_ours(content))
            done.append(str(path))
    return done


def reload(setup: Setup) -> str:
    """Let the resolver read its files again; return what a person must do where that is not for us."""
    argv = setup.command
    if not argv:
        return ""
    if not shutil.which(argv[0]) or (argv[0] == SYSTEMCTL and not Path("/run/systemd/system").exists()):
        return f"there is no {argv[0]} here to ask: let {argv[-1]} read its files again"
    done = process.run(argv)
    return f"{' '.join(argv)} failed: {done.last_line()}" if done.code else ""


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _current(change: Change) -> bytes:
    """Return what there is of a change: our own file but for its mark, or our lines in a shared one."""
    content = _read(Path(change.path))
    return content.replace(FOLDER_MARK.encode(), b"", 1) if change.own else content


def _wanted(change: Change, folder_mark: str = "") -> bytes:
    if change.own:
        return (MARK + folder_mark + change.text).encode()
    return (BEGIN + change.text + END).encode() + _without_ours(_read(Path(change.path)))


def _without_ours(content: bytes) -> bytes:
    before, begin, rest = content.partition(BEGIN.encode())
    _, end, after = rest.partition(END.encode())
    return before + after if begin and end else content


def _put(path: Path, content: bytes) -> None:
    """Write a file in one step, with the owner and mode that it had; what a link leads to, where it is one."""
    place = path.resolve()
    before = place.stat() if place.exists() else None
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".darkpeak-", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary = Path(file.name)
    try:
        temporary.chmod(before.st_mode & 0o7777 if before else READABLE)
        if before:
            os.chown(temporary, before.st_uid, before.st_gid)
        temporary.replace(place)
    except OSError as error:
        temporary.unlink()
        if error.errno != errno.EBUSY:  # a mount, as of a container's resolv.conf, is written through
            raise
        place.write_bytes(content)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's refusals into ours."""
    try:
        yield
    except PermissionError as error:
        raise SystemFailure("you may not write this file", where=str(path), hint="run it again with sudo") from error
    except OSError as error:
        raise SystemFailure(f"the file cannot be written: {error.strerror}", where=str(path)) from error
