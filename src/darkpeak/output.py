"""The only place that prints: tables, progress, JSON, errors."""

import dataclasses
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from darkpeak.errors import DarkpeakError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

WIDTH_ELSEWHERE = 200  # columns, where standard output is no terminal


def show_json(value: object) -> None:
    """Print a value as one JSON document."""
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, range):
        return [value.start, value.stop - 1]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.value if isinstance(value, Enum) else str(value)


def show_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print a line beside the result, on standard error."""
    sys.stderr.write(line + "\n")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None) -> None:
    """Print a table; `styles` gives whole words a colour, on a terminal."""
    _console().print(make_table(columns, rows, styles or {}))


def show_rows(rows: Sequence[Any], columns: Sequence[str], styles: Mapping[str, str], *, as_json: bool) -> None:
    """Print values as a table with one column an attribute, or as JSON."""
    if as_json:
        show_json(rows)
    else:
        show_table(columns, as_rows(rows, columns), styles)


def make_table(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str]) -> "Table":
    """Return a plain table: a heading, no borders, nothing cut."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=True)
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, styles.get(cell, "")) for cell in row))
    return table


def show_error(error: DarkpeakError, log: Path | None, causes: Sequence[str], *, as_json: bool) -> None:
    """Print an error: what is wrong, where, what to do now; then its causes, and the log that has everything."""
    if as_json:
        facts = {"message": error.message, "where": error.where, "hint": error.hint}
        show_json({"error": {**facts, **({"log": str(log)} if log else {})}})
        return
    first, *rest = error.lines()
    mark = "\033[31merror:\033[0m" if sys.stderr.isatty() else "error:"
    below = [*rest, *(f"caused by {cause}" for cause in causes), *([f"log: {log}"] if log else [])]
    sys.stderr.write(f"{mark} {first}\n" + "".join(f"  {line}\n" for line in below))


def ask(question: str) -> bool:
    """Ask a yes-or-no question on the terminal; no is the answer where there is none."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_ELSEWHERE)


class ProgressTable:
    """Progress of several services at once: a live table on a terminal, plain lines elsewhere; all on stderr.

    With `verbose` there are plain lines on a terminal as well, since the trace is printed between them.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._lock = Lock()
        self._started: dict[str, float] = {}
        self._last: dict[str, str] = {}
        self._steps: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._quiet and not self._verbose:
            from rich.live import Live

            self._live = Live(console=_console(stderr=True), get_renderable=self._table, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def step(self, name: str, step: str) -> None:
        """Show that `name` (a service) has begun a step."""
        with self._lock:
            self._started.setdefault(name, time.monotonic())
            self._steps[name] = step
            self._last[name] = ""
            seconds = time.monotonic() - self._started[name]
        if not self._live and not self._quiet:
            note(f"{name}: {step}" + (f" ({seconds:.0f} s)" if seconds >= 1 else ""))

    def line(self, name: str, line: str) -> None:
        """Show what a tool prints as the last line, on a terminal; the trace has all of it."""
        with self._lock:
            self._last[name] = line

    def _table(self) -> "Table | str":
        now = time.monotonic()
        if not self._steps:
            return ""
        with self._lock:
            rows = [
                (name, step, f"{now - self._started[name]:.0f} s", self._last.get(name, "")[:100])
                for name, step in self._steps.items()
            ]
        return make_table(("service", "step", "time", ""), rows, {"healthy": "green", "failed": "red"})


def relative(path: Path) -> str:
    """Return a path as one would type it from here, if that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def as_rows(values: Iterable[Any], columns: Sequence[str]) -> list[list[str]]:
    """Return one row of text a value, a column an attribute."""
    return [[_cell(getattr(value, column)) for column in columns] for value in values]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
