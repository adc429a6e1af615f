"""Ask compose what it makes of a service's files, and remember the answers. This needs no engine."""

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from darkpeak import process
from darkpeak.collective.resolved import Question, with_folder, without_folder
from darkpeak.engine.compose import QUIET
from darkpeak.errors import SystemFailure

SECONDS = 60
FOLDER = "darkpeak/resolved"
MOST_LINES = 200  # of an error
MOST = 5000  # answers that are kept in one folder: enough for a collective of some thousand services


def resolve(question: Question) -> dict[str, Any] | str:
    """Return what compose makes of the files, as data, or its error as it was printed.

    Without compose on this machine, it is nothing: commands that only read files do without it.
    """
    if not question.digest:
        return _ask(question, None)
    kept = cache_folder() / f"{question.digest}.json"
    try:
        answer: dict[str, Any] = json.loads(with_folder(kept.read_text(encoding="utf-8"), question.folder))
    except (OSError, ValueError):
        return _ask(question, kept)
    return answer


def _ask(question: Question, kept: Path | None) -> dict[str, Any] | str:
    folder = str(question.folder)
    files = (word for name in question.files for word in ("--file", str(question.folder / name)))
    argv = ("docker", "compose", "--ansi", "never", "--project-directory", folder, *files, "config", "--format", "json")
    environment = {**process.own_environment(), **dict(question.variables), **QUIET}
    try:
        done = process.run(argv, environment=environment, seconds=SECONDS)
    except SystemFailure:
        return {}
    if done.code:
        message = done.last_lines(MOST_LINES)
        return {} if "is not a docker command" in message or "unknown flag: --ansi" in message else message
    answer: dict[str, Any] = json.loads(done.stdout)
    if kept:
        keep(kept, without_folder(done.text, question.folder).encode())
    return answer


def keep(kept: Path, answer: bytes) -> None:
    """Write an answer in one step; without room for it, compose is asked again next time."""
    beside = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # answers have the values of variables
        beside.write_bytes(answer)
        beside.replace(kept)
        forget_oldest(kept.parent)
    except OSError:
        with suppress(OSError):
            beside.unlink()


@cache  # once in a run: a folder of thousands is not read again for each answer
def forget_oldest(folder: Path) -> None:
    """Remove the oldest answers if there are too many, also those of collectives that are gone; they are asked again.

    Raises:
        OSError: when the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    if len(files) <= MOST:
        return
    ages = []
    for entry in files:
        with suppress(FileNotFoundError):  # another run removes them too
            ages.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
    for _, path in sorted(ages)[: len(files) - MOST]:
        Path(path).unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder for what is asked once and remembered."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / FOLDER
