"""restic's failures, in our words. Pure."""

import re

from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError
from darkpeak.result import Result

ABSENT, LOCKED, WRONG_KEY, TIMED_OUT = 10, 11, 12, (124, 137)
LOCKED_BY = re.compile(r"locked (?:exclusively )?by PID \d+ on (\S+) by .*?lock was created at (\S+ \S+)", re.DOTALL)
NO_SPACE = "no space left on device"

SILENT = (
    *(SystemFailure, "{} does not answer"),
    "is that machine up, and the address right? Other repositories are not touched by this",
)
KNOWN: dict[int, tuple[type[DarkpeakError], str, str]] = {
    **dict.fromkeys(TIMED_OUT, SILENT),
    ABSENT: (UsageError, "there is no repository at {} yet", "darkpeak backup init makes it"),
    WRONG_KEY: (
        *(CheckFailed, "wrong password for {} (backup-key.age)"),
        "is it another collective's? An older backup-key.age from git may fit",
    ),
}


def explain(repository: str, result: Result) -> DarkpeakError | None:
    """Return why restic failed, or None where it did not."""
    if not result.code:
        return None
    if result.code in KNOWN:
        kind, what, hint = KNOWN[result.code]
        return kind(what.format(repository), hint=hint)
    said = result.stderr.decode(errors="replace")
    if result.code == LOCKED:
        found = LOCKED_BY.search(said)
        holder = f"by {found[1]}, since {found[2]}" if found else "by somebody"
        hint = "try again when that has ended; if it died, restic unlock, typed by hand, takes its lock away"
        return SystemFailure(f"{repository} is locked {holder}", hint=hint)
    if NO_SPACE in said:
        hint = "make room where it lies; if that is the engine's own disk, darkpeak doctor shows how much there is"
        return SystemFailure(f"{repository}: {NO_SPACE}", hint=hint)
    fatal = [line.removeprefix("Fatal: ") for line in said.splitlines() if "Fatal" in line]
    return SystemFailure(f"{repository}: {fatal[-1] if fatal else result.last_line()}")
