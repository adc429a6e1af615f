"""Who runs this command, and from which commit; deploys, snapshots and locks record it."""

import getpass
import os
import socket
from pathlib import Path

from darkpeak import process
from darkpeak.errors import SystemFailure


def who() -> str:
    """Return the login and the machine, as LOGIN@MACHINE."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return socket.gethostname()


def commit_of(folder: Path) -> str:
    """Return the git commit of a folder, with a + if files there differ from it.

    It is empty if git has none of its files, or is not installed.
    """
    head = _git(folder, "rev-parse", "--short", "HEAD")
    known = _git(folder, "ls-files", "--", ".")
    if not head or not known:  # outside git, or ignored
        return ""
    return head + "+" * bool(_git(folder, "status", "--porcelain", "--", "."))


def mail(folder: Path) -> str:
    """Return the mail address that git has for commits in a folder; empty if it has none, or is not installed."""
    return _git(folder, "config", "user.email")


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints, in an environment without the caller's GIT_DIR; nothing if it fails."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home())}
    try:
        done = process.run(("git", "-C", str(folder), *arguments), environment=environment)
    except SystemFailure:  # a server needs no git
        return ""
    return "" if done.code else done.text.strip()
