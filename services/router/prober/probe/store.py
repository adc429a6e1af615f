"""The prober's two files: the log, to which it only appends, and the time of the last round."""

import os
from pathlib import Path


class Store:
    """The log and the time of the last round, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._log, self._alive = folder / "log", folder / "alive"

    def lines(self) -> list[str]:
        """Return the log's lines; a last one that was cut short is ended first."""
        if not self._log.exists():
            return []
        text = self._log.read_text(encoding="utf-8", errors="replace")
        if text and not text.endswith("\n"):
            self._append("\n")
        return text.splitlines()

    def alive(self) -> int:
        """Return the time of the last round; 0 if there was none."""
        try:
            return int(self._alive.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return 0

    def write(self, lines: list[str], at: int) -> None:
        """Write new lines into the log, and that there was a round at this moment."""
        if lines:
            self._append("".join(lines))
        partial = self._alive.with_suffix(".partial")
        partial.write_text(f"{at}\n", encoding="utf-8")
        partial.replace(self._alive)

    def _append(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(text)
            log.flush()
            os.fsync(log.fileno())
