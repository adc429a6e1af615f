"""What the file system says about everything in a folder, without reading a file: whether anything in it has changed.

Any change of a file's content, mode, owner or name changes its ctime, which no program can set. Git trusts the same.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from darkpeak.collective.context import MOST_FILES

# A file that has just changed may change again with the same time: the clock of some file systems counts in 2 seconds.
SETTLED = 3_000_000_000  # nanoseconds


@dataclass(frozen=True)
class Fingerprint:
    """A hash of names, kinds, sizes, modes, owners and times, and the newest of the times, in nanoseconds."""

    digest: str
    newest: int

    def is_settled(self, now: int) -> bool:
        """Return whether each later change must give another fingerprint; `now` is from before it was made."""
        return self.newest < now - SETTLED


def take(folder: Path, without: Collection[str] = ()) -> Fingerprint | None:
    """Return the fingerprint of a folder, without what has one of these names.

    None if it says too little: something in the folder is a link, a device or the like, or cannot be listed, or there
    are too many files.
    """
    facts = []
    newest = 0
    try:
        for path, entry in _walk(str(folder), without):
            if not stat.S_ISREG(entry.st_mode) and not stat.S_ISDIR(entry.st_mode):
                return None
            where = entry.st_dev, entry.st_ino, entry.st_size, entry.st_mode, entry.st_uid, entry.st_gid
            facts.append((path, *where, entry.st_mtime_ns, entry.st_ctime_ns))
            newest = max(newest, entry.st_mtime_ns, entry.st_ctime_ns)
            if len(facts) > MOST_FILES:
                return None
    except OSError:
        return None
    return Fingerprint(hashlib.sha256(repr(sorted(facts)).encode()).hexdigest(), newest)


def _walk(folder: str, without: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path of a folder, and of everything in it; links are not followed."""
    yield folder, os.lstat(folder)
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name not in without:
                    yield entry.path, entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
