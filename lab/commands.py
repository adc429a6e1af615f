"""Run commands with a deadline, and wait for conditions."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Result = subprocess.CompletedProcess[str]


class CommandFailed(AssertionError):
    """A command that a test depends on failed."""

    def __init__(self, result: Result, why: str) -> None:
        """Make the message: the command, why it failed, and all that it printed."""
        printed = f"{result.stdout}{result.stderr}".rstrip() or "(nothing)"
        super().__init__(f"{' '.join(result.args)}\n{why}; it printed:\n{printed}")
        self.result = result


class Options(TypedDict, total=False):
    """How to run a command: by default for at most a minute, and it must succeed."""

    timeout: float
    check: bool
    stdin: str
    cwd: Path | str
    env: Mapping[str, str]


def run(argv: Sequence[str], **options: Unpack[Options]) -> Result:
    """Run a command to its end, or kill it and all its children at the deadline; return its result.

    Raises:
        CommandFailed: when it fails (unless `check` is false), or does not end in time.
    """
    timeout = options.get("timeout", 60)
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=options.get("cwd"),
        env=options.get("env"),
        start_new_session=True,
    )
    try:
        out, err = process.communicate(options.get("stdin", ""), timeout)
    except BaseException as stopped:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        if isinstance(stopped, subprocess.TimeoutExpired):
            raise CommandFailed(Result(list(argv), -9, out, err), f"it did not end within {timeout:g} s") from None
        raise
    result = Result(list(argv), process.returncode, out, err)
    if result.returncode and options.get("check", True):
        raise CommandFailed(result, f"exit code {result.returncode}")
    return result


def wait_for(what: str, true: Callable[[], object], *, timeout: float = 60, pause: float = 0.1) -> None:
    """Wait until `true()` returns something true; fail at the deadline, with `what` in the message."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            message = f"waited {timeout:g} s without success for: {what}"
            raise AssertionError(message)
        time.sleep(pause)
