"""This machine's files that configure its resolver: read them, change them, and undo the changes."""

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
    """Return what shows which resolver this machine has."""
    plain = Path(PLAIN_FILE)
    text = plain.read_text(errors="replace") if plain.is_file() else ""
    there = frozenset(sign for sign in SIGNS if Path(sign).exists())
    return Surroundings(platform.system(), text, str(plain.resolve()) if plain.is_symlink() else "", there)


def waiting(setup: Setup) -> tuple[Change, ...]:
    """Return the changes that are not made yet."""
    return tuple(change for change in setup.changes if _current(change) != _wanted(change))


def check(setup: Setup) -> None:
    """Check that all changes can be made, before anything is touched.

    Raises:
        UsageError: when there is a file with that name that darkpeak did not make.
        SystemFailure: when a folder or a program is missing.
    """
    for change in setup.changes:
        if change.own and _current(change) and not _current(change).startswith(MARK.encode()):
            raise UsageError("the file exists, and darkpeak did not make it", where=change.path, hint="move it away")
        if not Path(change.path).parent.parent.is_dir():
            raise SystemFailure(f"there is no {Path(change.path).parent.parent}", where=change.path)
    for program, package in setup.programs:
        if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
            what = f"{program} is not installed, which {setup.resolver} needs for this"
            raise SystemFailure(what, hint=f"install it: apt-get install {package}")


def write(change: Change) -> None:
    """Make one change.

    Raises:
        SystemFailure: when a file cannot be written.
    """
    with _explained(Path(change.path)):
        folder = Path(change.path).parent
        folder_mark = ""
        if change.own and not folder.is_dir():
            folder.mkdir(mode=0o755)
            folder_mark = FOLDER_MARK
        _put(Path(change.path), _wanted(change, folder_mark))


def undo() -> list[str]:
    """Undo all changes that `write` ever made; return the files.

    Raises:
        SystemFailure: when a file cannot be written.
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
    """Have the resolver read its files again; return a message if a person must do that."""
    argv = setup.command
    if not argv:
        return ""
    if not shutil.which(argv[0]) or (argv[0] == SYSTEMCTL and not Path("/run/systemd/system").exists()):
        return f"{argv[0]} is not running here; have {argv[-1]} read its files again"
    done = process.run(argv)
    return f"{' '.join(argv)} failed: {done.last_line()}" if done.code else ""


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _current(change: Change) -> bytes:
    """Return the content of the file of a change, without the mark for its folder."""
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
    """Replace a file in one step, and keep its owner and mode; if it is a link, replace its target."""
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
        if error.errno != errno.EBUSY:  # a mount, like a container's resolv.conf, cannot be replaced
            raise
        place.write_bytes(content)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except PermissionError as error:
        raise SystemFailure("you may not write this file", where=str(path), hint="run the command with sudo") from error
    except OSError as error:
        raise SystemFailure(f"the file cannot be written: {error.strerror}", where=str(path)) from error
