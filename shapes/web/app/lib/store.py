"""The notes: one file for each, with its writer in the first line."""

import os
import time
from pathlib import Path

NOTES = Path("/var/lib/app/current")


def add(who: str, text: str) -> None:
    """Write a note, which is on the disk afterwards."""
    new = NOTES / f".{time.time_ns()}"
    with new.open("w", encoding="utf-8") as file:
        file.write(f"{who}\n{text}")
        file.flush()
        os.fsync(file.fileno())
    new.rename(NOTES / f"{new.name[1:]}.note")


def notes() -> list[tuple[str, str]]:
    """Return all notes, the oldest first: who wrote it, and the text."""
    found = []
    for path in sorted(NOTES.glob("*.note")):
        who, _, text = path.read_text(encoding="utf-8").partition("\n")
        found.append((who, text))
    return found
