"""Printing: tables, progress, JSON, errors. No other file prints."""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from darkpeak.errors import DarkpeakError, HostFailure, HostsFailed, SystemFailure, UsageError
from darkpeak.result import display

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

WIDTH_ELSEWHERE = 200  # characters, where standard output is not a terminal
PAGE_WIDTH = 80  # characters, of a page of the documentation
WIDEST_STEP = 34  # characters in one line of a table of progress
GAP = 2  # spaces between two columns of a table
FORCED = "FORCE_COLOR"  # Rich takes this variable for a terminal
SHORT = 16  # characters of a cell that is not folded


_documents: list[bool] = []  # one for each JSON document that was printed
_failures: list[Mapping[str, HostFailure]] = []  # the table of the command that runs


def watch_failures(failures: Mapping[str, HostFailure]) -> None:
    """Have a JSON document show the hosts that are in this table when it is printed."""
    _failures[:] = [failures]


def show_json(value: object) -> None:
    """Print a value as one JSON document; if hosts failed, as its `result`, beside the `error`."""
    _documents.append(True)
    failed = [failure for table in _failures for failure in table.values()]
    if failed:
        value = {"error": _error_facts(HostsFailed(failed)), "result": value}
    _write_json(value)


def _write_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _error_facts(error: DarkpeakError) -> dict[str, object]:
    facts = {"message": error.message, "where": error.where, "hint": error.hint}
    return {**facts, "hosts": error.hosts} if isinstance(error, HostsFailed) else {**facts}


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
    """Print a line on standard error, which is not part of the result."""
    sys.stderr.write(line + "\n")


def show_page(markdown: str) -> None:
    """Print a page of the documentation, at most 80 columns wide; on a terminal in colour and with a pager."""
    from io import StringIO

    import click
    from rich.console import Console
    from rich.markdown import Markdown

    on_terminal = sys.stdout.isatty()
    room = _console().width if on_terminal else PAGE_WIDTH
    target = StringIO()
    console = Console(file=target, force_terminal=on_terminal, width=min(PAGE_WIDTH, room), highlight=False)
    console.print(Markdown(markdown, hyperlinks=False))
    text = "".join(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())
    click.echo_via_pager(text, color=on_terminal)


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None, *, key: int = 1
) -> None:
    """Print rows as a table, or as several where one would be too wide (see `make_tables`)."""
    if not sys.stdout.isatty() and FORCED not in os.environ:
        lines = make_lines(columns, rows, WIDTH_ELSEWHERE)
        if lines:
            show_lines(lines)
            return
    console = _console()
    for number, table in enumerate(make_tables(columns, rows, styles or {}, console.width, key)):
        if number:
            console.print()
        console.print(table)


def show_rows(
    rows: Sequence[Any], columns: Sequence[str], styles: Mapping[str, str], *, as_json: bool, key: int = 1
) -> None:
    """Print values as a table with one column for each attribute, or as JSON."""
    if as_json:
        show_json(rows)
    else:
        show_table(columns, as_rows(rows, columns), styles, key=key)


def make_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of the table, as `make_tables` makes it, without colours; none if a cell has to be folded.

    Where there is no terminal, that is nearly always enough, and Rich takes longer for it than all else.
    """
    texts = [[column.upper() for column in columns], *rows]
    if not columns or any(not (cell.isascii() and cell.isprintable()) for row in texts for cell in row):
        return []
    widths = [max(map(len, cells)) for cells in zip(*texts, strict=True)]
    if sum(widths) + GAP * (len(widths) - 1) > width:
        return []
    gap = " " * GAP
    return [gap.join(cell.ljust(room) for cell, room in zip(row, widths, strict=True)) for row in texts]


def make_tables(
    columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str], width: int, key: int = 1
) -> "list[Table]":
    """Return the rows as tables that fit in a width: no borders, nothing cut, no word broken.

    Columns that do not fit in the first table go to the next one, which begins with the first `key` columns again.
    `styles` gives a colour to cells with exactly this text.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    texts = [[column.upper(), *(row[number] for row in rows)] for number, column in enumerate(columns)]
    most = [max(map(cell_len, column)) for column in texts]
    words = [max(cell_len(word) for text in column for word in text.split() or [" "]) for column in texts]
    least = [max(word, min(whole, SHORT)) for word, whole in zip(words, most, strict=True)]
    tables = []
    for group in _group(least, width, key):
        table = Table(box=None, pad_edge=False, header_style="bold")
        room = width - GAP * (len(group) - 1)
        fitted = _fit([least[number] for number in group], [most[number] for number in group], room)
        for number, column_width in zip(group, fitted, strict=True):
            table.add_column(columns[number].upper(), overflow="fold", width=column_width)
        for row in rows:
            table.add_row(*(Text(row[number], styles.get(row[number], "")) for number in group))
        tables.append(table)
    return tables


def _group(least: Sequence[int], width: int, key: int) -> list[list[int]]:
    """Return groups of columns that fit side by side with their least widths; each begins with the key columns."""
    groups = [list(range(key))]
    for number in range(key, len(least)):
        wider = [*groups[-1], number]
        if len(wider) > key + 1 and sum(least[item] + GAP for item in wider) - GAP > width:
            wider = [*range(key), number]
            groups.append(wider)
        groups[-1] = wider
    return groups


def _fit(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Return widths of columns that fit in the room; a column gets less than its least width only if all have it."""
    widths = list(most)
    while sum(widths) > max(room, len(widths)):
        spare = [number for number, width in enumerate(widths) if width > least[number]] or range(len(widths))
        widths[max(spare, key=lambda number: widths[number])] -= 1
    return widths


def show_error(error: DarkpeakError, log: Path | None, causes: Sequence[str], *, as_json: bool) -> None:
    """Print an error: what is wrong, where, what to do now; then its causes, and the path of the log.

    As JSON it is the one document that the command prints. After a result it is lines on standard error, as without
    JSON: a program that reads a second document after the first is rare.
    """
    if as_json and not _documents:
        _write_json({"error": {**_error_facts(error), **({"log": str(log)} if log else {})}})
        return
    first, *rest = (display(line) for text in error.lines() for line in text.split("\n"))
    mark = "\033[31merror:\033[0m" if sys.stderr.isatty() else "error:"
    below = [*rest, *(f"caused by {cause}" for cause in causes), *([f"log: {log}"] if log else [])]
    sys.stderr.write(f"{mark} {first}\n" + "".join(f"  {line}\n" for line in below))


def ask(question: str) -> bool:
    """Ask a yes-or-no question on the terminal; return False where there is no terminal."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def ask_for(question: str) -> str:
    """Ask for a word on the terminal; return an empty one where there is no terminal."""
    if not sys.stdin.isatty():
        return ""
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def watch(look: Callable[[], object], show: Callable[[Any], None], seconds: float = 5) -> None:
    """Look and show again and again, each time on an empty screen, until Ctrl-C ends it.

    Raises:
        UsageError: when there is no terminal.
    """
    console = _console()
    if not console.is_terminal:
        raise UsageError("--watch needs a terminal", hint="leave --watch out")
    with suppress(KeyboardInterrupt), console.screen():
        while True:
            try:
                found, failed = look(), ""
            except SystemFailure as error:
                found, failed = None, error.message
            console.clear()
            if failed:
                console.print(failed, style="red")
            else:
                show(found)
            console.print(f"{datetime.now().astimezone():%H:%M:%S}, every {seconds:.0f} s; Ctrl-C ends it", style="dim")
            time.sleep(seconds)


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_ELSEWHERE)


class ProgressTable:
    """Shows the progress of several services on standard error: a live table on a terminal, else plain lines.

    With `verbose` it prints plain lines on a terminal too, because the trace is printed between them.
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
        """Show the last line that a tool printed, on a terminal; the trace has all of its lines."""
        with self._lock:
            self._last[name] = line

    def _table(self) -> "Table | str":
        from rich.cells import cell_len
        from rich.table import Table
        from rich.text import Text

        if not self._steps:
            return ""
        table = Table(box=None, pad_edge=False, header_style="bold")
        now = time.monotonic()
        with self._lock:
            rows = [
                (name, step, f"{now - self._started[name]:.0f} s", self._last.get(name, ""))
                for name, step in self._steps.items()
            ]
        heads = ("SERVICE", "STEP", "TIME")
        widths = [max(cell_len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
        widths[1] = min(widths[1], WIDEST_STEP)
        for head, width in zip(heads, widths, strict=True):
            table.add_column(head, no_wrap=head != "STEP", min_width=width)
        left = (self._live.console.width if self._live else 80) - sum(widths) - GAP * len(heads)
        # A tool's last line, of which the trace has all, gets what the others leave.
        table.add_column("", no_wrap=True, overflow="ellipsis", max_width=max(left, 1))
        for name, step, seconds, last in rows:
            shown = Text(step, {"healthy": "green", "failed": "red"}.get(step, ""))
            table.add_row(Text(name), shown, seconds, Text(last))
        return table


def relative(path: Path) -> str:
    """Return a path relative to the current folder if it is below that, else the whole path."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def as_rows(values: Iterable[Any], columns: Sequence[str]) -> list[list[str]]:
    """Return one row of texts for each value, with one cell for each of its attributes."""
    return [[_cell(getattr(value, column)) for column in columns] for value in values]


def _cell(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
