"""Who runs this command, and from which commit; deploys, snapshots and locks record it."""

import getpass
import os
import socket
from pathlib import Path

from darkpeak import process


def who() -> str:
    """Return the login and the machine, as LOGIN@MACHINE."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return socket.gethostname()


def commit_of(folder: Path) -> str:
    """Return the git commit of a folder, with a + if files there differ from it; empty if git has none of its files."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home())}  # without the caller's GIT_DIR
    head = process.run(("git", "-C", str(folder), "rev-parse", "--short", "HEAD"), environment=environment)
    known = process.run(("git", "-C", str(folder), "ls-files", "--", "."), environment=environment)
    if head.code or known.code or not known.stdout:  # outside git, or ignored
        return ""
    changed = process.run(("git", "-C", str(folder), "status", "--porcelain", "--", "."), environment=environment)
    return head.text.strip() + "+" * bool(changed.stdout.strip())


def mail(folder: Path) -> str:
    """Return the mail address that git has for commits in a folder; empty if it has none."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home())}
    return process.run(("git", "-C", str(folder), "config", "user.email"), environment=environment).text.strip()
