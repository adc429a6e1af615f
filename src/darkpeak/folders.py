"""Folders of this machine that backups are written into: only those that no other user can redirect with a link."""

import os
import pwd
import stat
from pathlib import Path

from darkpeak.errors import UsageError

PRIVATE = 0o700  # backups contain secrets
MOST_LINKS = 40  # as the system allows in one path


def make_private(path: Path) -> Path:
    """Return a folder as its real path; it is made if it does not exist, for its owner only.

    Raises:
        UsageError: when another user could put a link, or other files, in its place; or when it cannot be made.
    """
    real = find_real(path)
    try:
        for missing in [item for item in (real, *real.parents) if not item.exists()][::-1]:
            missing.mkdir(mode=PRIVATE)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}", hint="name another folder") from error
    if find_real(real) != real or not real.is_dir():
        raise UsageError(f"{path} is not a folder", hint="name another folder")
    return real


def make_for_scripts(path: Path) -> Path:
    """Return a private folder as `make_private` does, in which services' own scripts make folders.

    Raises:
        UsageError: also when others may write into it, even if it is like /tmp: they could put a link there first.
    """
    real = make_private(path)
    if _is_shared(real.stat()):
        what = f"other users may write into {real}, and could replace what is written there"
        raise UsageError(what, hint=f"name a new folder in it, for example {real / 'backup'}")
    return real


def make_empty(path: Path) -> Path:
    """Return a private folder as `make_private` does, which must be empty.

    Raises:
        UsageError: also when it is not empty.
    """
    real = make_private(path)
    try:
        empty = not any(real.iterdir())
        real.chmod(PRIVATE)
    except OSError as error:
        raise UsageError(f"{path} cannot be used: {error.strerror}", hint="name a new folder") from error
    if not empty:
        raise UsageError(f"{path} is not empty", hint="name a new folder")
    return real


def find_real(path: Path) -> Path:
    """Return a path without links. The part of it that exists is checked, the rest may be missing.

    Raises:
        UsageError: when a part of it belongs to another user, or when others may write there.
    """
    current, rest = Path("/"), list(Path(os.path.abspath(path)).parts[1:])  # noqa: PTH100 (`..` before links, as typed)
    for _ in range(MOST_LINKS + len(rest)):
        _check(current, path)
        if not rest:
            return current
        following = current / rest.pop(0)
        if not os.path.lexists(following):
            return following.joinpath(*rest)
        if following.is_symlink():
            _check(following, path)
            target = Path(os.path.normpath(current / following.readlink()))
            current, rest = Path("/"), [*target.parts[1:], *rest]
        else:
            current = following
    raise UsageError(f"{path} is a loop of links", hint="name another folder")


def _check(item: Path, path: Path) -> None:
    """Refuse a folder or a link in which, or in whose place, another user could put something."""
    found = item.lstat()
    hint = "name a folder of your own, in a folder that only you can write into"
    if found.st_uid not in _trusted():
        kind = "the link " if stat.S_ISLNK(found.st_mode) else ""
        what = f"{kind}{item} belongs to {_name(found.st_uid)}, who could replace what is written to {path}"
        raise UsageError(what, hint=hint)
    if stat.S_ISDIR(found.st_mode) and _is_shared(found) and not found.st_mode & stat.S_ISVTX:
        raise UsageError(f"other users may write into {item}, and could replace what is written to {path}", hint=hint)


def _is_shared(found: os.stat_result) -> bool:
    """Return whether other users may write there; a group with the number of its only user is that user's own."""
    return bool(found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid not in _trusted()))


def _trusted() -> set[int]:
    """Return root, this user, and the user who called sudo."""
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {0, os.geteuid(), *([int(caller)] if caller.isdecimal() else [])}


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
