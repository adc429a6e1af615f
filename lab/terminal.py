"""A program on a terminal of its own, with a person who types."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass
class Terminal:
    """The person's side of a terminal: types, resizes, and reads what is shown."""

    process: subprocess.Popen[bytes]
    side: int
    shown: str = field(default="")

    def type(self, text: str) -> None:
        """Type text; `\\r` is the Enter key."""
        os.write(self.side, text.encode())

    def resize(self, lines: int, columns: int) -> None:
        """Change the window's size."""
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def expect(self, text: str, *, timeout: float = 60) -> None:
        """Wait until a text is shown, and forget what was shown up to its end."""
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown within {timeout:g} s, but: {self.shown!r}"
            if select.select([self.side], [], [], left)[0]:
                read = self._read()
                assert read, f"it ended before it showed {text!r}; it showed: {self.shown!r}"
                self.shown += read
        self.shown = self.shown.partition(text)[2]

    def end(self, *, timeout: float = 60) -> int:
        """Wait until the program has ended; return its exit code."""
        while read := self._read():
            self.shown += read
        return self.process.wait(timeout)

    def _read(self) -> str:
        try:
            return os.read(self.side, 4096).decode(errors="replace")
        except OSError as error:
            if error.errno != errno.EIO:  # Linux's answer when no program has the other side open
                raise
            return ""


@contextmanager
def on_terminal(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Start a program on a new terminal of 24 lines and 80 columns; kill it at the end if it still runs."""
    side, other = pty.openpty()
    try:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *argv],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=cwd,
            env=dict(environment),
        )
        os.close(other)
        terminal = Terminal(process, side)
        terminal.resize(24, 80)
        yield terminal
        process.kill()
        process.wait()
    finally:
        os.close(side)
