"""Errors of restic as our errors. Pure."""

import re

from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError
from darkpeak.result import Result

ABSENT, LOCKED, WRONG_KEY, TIMED_OUT = 10, 11, 12, (124, 137)
LOCKED_BY = re.compile(r"locked (?:exclusively )?by PID \d+ on (\S+) by .*?lock was created at (\S+ \S+)", re.DOTALL)
SSH = re.compile(r"^subprocess ssh: (?!@|Warning)(.+)$", re.MULTILINE)
NO_SPACE = "no space left on device"

SILENT = (
    *(SystemFailure, "{} does not answer"),
    "check that its machine is on, and its address; other repositories are not affected",
)
KNOWN: dict[int, tuple[type[DarkpeakError], str, str]] = {
    **dict.fromkeys(TIMED_OUT, SILENT),
    ABSENT: (UsageError, "there is no repository at {}", "make it: darkpeak backup init"),
    WRONG_KEY: (
        *(CheckFailed, "wrong password for {} (backup-key.age)"),
        "try an older backup-key.age from git; or does it belong to another collective?",
    ),
}


def explain(repository: str, result: Result) -> DarkpeakError | None:
    """Return the error if restic failed, else None."""
    if not result.code:
        return None
    if result.code in KNOWN:
        kind, what, hint = KNOWN[result.code]
        return kind(what.format(repository), hint=hint)
    stderr = result.stderr.decode(errors="replace")
    if result.code == LOCKED:
        found = LOCKED_BY.search(stderr)
        holder = f"by {found[1]}, since {found[2]}" if found else "by another program"
        hint = "try again when that has ended; if it was killed, remove its lock by hand: restic unlock"
        return SystemFailure(f"{repository} is locked {holder}", hint=hint)
    if NO_SPACE in stderr:
        hint = "free space on its disk; if that is the engine's disk, see how much is free: darkpeak doctor"
        return SystemFailure(f"{repository}: {NO_SPACE}", hint=hint)
    if SSH.search(stderr):
        return _explain_ssh(repository, SSH.findall(stderr)[-1].strip())
    fatal = [line.removeprefix("Fatal: ") for line in stderr.splitlines() if "Fatal" in line]
    return SystemFailure(f"{repository}: {fatal[-1] if fatal else result.last_line()}")


def _explain_ssh(repository: str, said: str) -> SystemFailure:
    """Return the error for the last line of ssh; restic itself only reports that the connection was closed."""
    hint = "check its address, and that its machine is on"
    if "Permission denied" in said or "identity" in said.lower():
        hint = f"store the private key of its login: darkpeak key secret {repository} ssh-key <FILE"
    elif "verification failed" in said:
        hint = f"store its host key, which you have compared: darkpeak key secret {repository} known-hosts <FILE"
    return SystemFailure(f"{repository}: ssh: {said}", hint=hint)
