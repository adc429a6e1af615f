"""How a program or a check ended, as a value, and why a program could not be started. Pure."""

import errno
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from darkpeak.errors import SystemFailure
from darkpeak.vocabulary import INSTALL_CLIENT, PACKAGES

ADVICE = re.compile(r"(See|Run) 'docker |\s*$")  # what the docker client adds to an error
NO_OUTPUT = "no error output"


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Result:
    """How a program ended, with what it printed."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def text(self) -> str:
        """Its standard output as text."""
        return self.stdout.decode(errors="replace")

    def last_line(self, count: int = 1) -> str:
        """Return the last lines of its standard error (else of its output) in one line, or NO_OUTPUT.

        A program that was killed says so itself at most by chance, so the signal is named.
        """
        said = "; ".join(line.strip() for line in self.last_lines(count).splitlines())
        if self.code >= 0:
            return said or NO_OUTPUT
        return f"killed by {_signal_name(-self.code)}" + (f", after “{said}”" if said else "")

    def last_lines(self, count: int) -> str:
        """Return the last lines as they were printed."""
        printed = (self.stderr.strip() or self.stdout.strip()).decode(errors="replace")
        lines = [line for line in printed.splitlines() if not ADVICE.match(line)]
        return "\n".join(lines[-count:])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def display(name: str) -> str:
    """Return a file's name, or a line, for a terminal: unprintable characters and invalid bytes as escapes."""
    if name.isprintable():
        return name
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def explain_start(argv: Sequence[str], error: OSError) -> SystemFailure:
    """Return an error that says why a program could not be started; collective/scripts.py checks scripts before."""
    if error.errno == errno.ENOENT and not Path(argv[0]).is_absolute():
        package = PACKAGES.get(argv[0], argv[0])
        hint = INSTALL_CLIENT if argv[0] == "docker" else f"install its package: apt-get install {package}"
        return SystemFailure(f"{argv[0]} is not installed", hint=hint)
    return SystemFailure(f"{Path(argv[0]).name} cannot be started: {error.strerror}", where=argv[0])
