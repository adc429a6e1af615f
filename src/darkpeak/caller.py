"""Who runs this command, and from which commit: what deploys, snapshots and locks are signed with."""

import getpass
import os
import socket
from pathlib import Path

from darkpeak import process


def who() -> str:
    """Return the login and the machine."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return socket.gethostname()


def commit_of(folder: Path) -> str:
    """Return the git commit of a folder, with a + where files there differ from it; empty outside git."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home())}  # no GIT_DIR of the caller's
    head = process.run(("git", "-C", str(folder), "rev-parse", "--short", "HEAD"), environment=environment)
    if head.code:
        return ""
    changed = process.run(("git", "-C", str(folder), "status", "--porcelain", "--", "."), environment=environment)
    return head.text.strip() + "+" * bool(changed.stdout.strip())
