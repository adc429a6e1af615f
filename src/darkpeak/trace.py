"""The trace of a run, to find out why it failed: -v and -vv on the terminal, and a log file.

The log has each program that was started, with its time, and its last lines if it failed; each request to the engine;
and the causes of each error. The newest logs are kept in $XDG_STATE_HOME/darkpeak/logs.
"""

import logging
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

KEPT = 10  # log files
MASK = "****"
PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
SECRET_OPTION = re.compile(r"(--?[\w-]*(?:password|passwd|secret|token|passphrase))(=)(?!/)(.+)", re.IGNORECASE)
FORMAT = "%(relativeCreated)8.0f ms  %(message)s"

log = logging.getLogger("darkpeak")
verbosity = 0  # how often -v was given
log_file: Path | None = None  # of this run; None if it cannot be written


def start(level: int, argv: Sequence[str]) -> None:
    """Start the trace of this run, at a level (how often -v was given)."""
    global verbosity, log_file  # noqa: PLW0603 (one run a process)
    verbosity = level
    logging.raiseExceptions = False  # a log that cannot be written, as on a full disk, is no reason for a traceback
    log.setLevel(logging.DEBUG)
    log.propagate = False
    handlers: list[logging.Handler] = []
    file = _open_log(argv)
    if file:
        handlers.append(file)
    if level:
        shown = logging.StreamHandler(sys.stderr)
        shown.setLevel(logging.DEBUG if level > 1 else logging.INFO)
        shown.setFormatter(logging.Formatter("%(message)s"))
        handlers.append(shown)
    for handler in handlers:
        log.addHandler(handler)
    log.debug("$ %s", shlex.join(("darkpeak", *argv)))
    log_file = Path(file.baseFilename) if file else None


def failed(error: BaseException) -> None:
    """Log an error with its traceback and all its causes."""
    log.debug("failed", exc_info=error)


def causes(error: BaseException) -> list[str]:
    """Return the causes of an error, one line for each, the nearest first."""
    found, cause = [], error.__cause__
    while cause is not None:
        first = (str(cause).strip().splitlines() or [""])[0]
        found.append(f"{type(cause).__module__}.{type(cause).__qualname__}: {first}".removeprefix("builtins."))
        cause = cause.__cause__ or cause.__context__
    return found


def folder() -> Path:
    """Return the folder of the logs."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "darkpeak/logs"


def _open_log(argv: Sequence[str]) -> logging.FileHandler | None:
    """Open this run's log; return None if it cannot be written."""
    name = "-".join(word for word in argv[:2] if word.isalpha()) or "darkpeak"
    path = folder() / f"{datetime.now().astimezone():%Y-%m-%dT%H-%M-%S}-{os.getpid()}-{name}.log"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(path.parent.glob("*.log"))[: -KEPT + 1]:
            old.unlink(missing_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")  # a word may not be text
    except OSError:
        return None
    with suppress(OSError):
        path.chmod(0o600)
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler


def display(argv: Sequence[str]) -> str:
    """Return a command as it is typed in a shell, with words that may be secret masked."""
    words = [SECRET_OPTION.sub(rf"\1\2{MASK}", PASSWORD_IN_URL.sub(rf"\1{MASK}@", word)) for word in argv]
    return shlex.join(words)
