"""Tables: they fit in a terminal's width, nothing is cut, and no word is broken while it fits in a line."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from darkpeak import output
from darkpeak.errors import CheckFailed, HostFailure, HostsFailed
from darkpeak.output import ProgressTable, make_lines, make_tables, show_error, show_json
from lab.collectives import TOP
from lab.terminal import on_terminal

STATUS = ("service", "kind", "level", "state", "requests", "saved", "drilled", "address", "admins")
ROWS = (
    *(("directory", "infrastructure", "alpha", "slapd unhealthy", "", "directory-7 9 h ago", "NEVER", "", "ada"),),
    *(("wiki", "user", "beta", "healthy", "1204", "wiki-17 9 h ago", "wiki-12 10 d ago, 21 s"),),
)
WIKI = (*ROWS[1], "http://wiki.localhost:7080/", "ada, grace")
AT_80 = """\
SERVICE    KIND            LEVEL  STATE            REQUESTS  SAVED
directory  infrastructure  alpha  slapd unhealthy            directory-7 9 h ago
wiki       user            beta   healthy          1204      wiki-17 9 h ago

SERVICE    DRILLED                 ADDRESS                      ADMINS
directory  NEVER                                                ada
wiki       wiki-12 10 d ago, 21 s  http://wiki.localhost:7080/  ada, grace
"""
AT_60 = """\
SERVICE    KIND            LEVEL  STATE            REQUESTS
directory  infrastructure  alpha  slapd unhealthy
wiki       user            beta   healthy          1204

SERVICE    SAVED                DRILLED
directory  directory-7 9 h ago  NEVER
wiki       wiki-17 9 h ago      wiki-12 10 d ago, 21 s

SERVICE    ADDRESS                      ADMINS
directory                               ada
wiki       http://wiki.localhost:7080/  ada, grace
"""
FOLDED = """\
SERVICE  MESSAGE
wiki     its backup script
         failed: no space left
chat     saved
"""


def render(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, key: int = 1) -> str:
    """Return what a terminal of that width shows, without the spaces at the ends of lines."""
    text = StringIO()
    console = Console(file=text, width=width, highlight=False)
    shown = []
    for table in make_tables(columns, rows, {}, width, key):
        console.print(table)
        shown.append("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))
        text.seek(0)
        text.truncate()
    return "\n".join(shown)


@pytest.mark.parametrize(("width", "expected"), [(80, AT_80), (60, AT_60)])
def test_status_at_a_fixed_width(width: int, expected: str) -> None:
    assert render(STATUS, (ROWS[0], WIKI), width) == expected


PROGRESS = """\
SERVICE    STEP                                TIME
base       building debian:trixie from         0 s
           Debian's signed archive
directory  building                            0 s   #17 264.7 Unpacking python…
"""


def test_a_tools_long_line_leaves_room_for_the_steps() -> None:
    progress, text = ProgressTable(), StringIO()
    progress.step("base", "building debian:trixie from Debian's signed archive")
    progress.step("directory", "building")
    progress.line("directory", "#17 264.7 Unpacking python3-pytz (2025.2-3) over the one that was there before")
    Console(file=text, width=80, highlight=False).print(progress._table())
    assert "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()) == PROGRESS


def test_a_table_that_fits_stays_one_table() -> None:
    columns, rows = ("service", "state"), (("wiki", "healthy"), ("chat", "prosody unhealthy"))
    assert render(columns, rows, 28) == "SERVICE  STATE\nwiki     healthy\nchat     prosody unhealthy\n"


def test_a_long_text_is_folded_between_its_words() -> None:
    rows = (("wiki", "its backup script failed: no space left"), ("chat", "saved"))
    assert render(("service", "message"), rows, 31) == FOLDED


def test_a_word_wider_than_the_terminal_is_the_only_one_that_is_broken() -> None:
    assert render(("service", "address"), (("wiki", "http://wiki.localhost:7080/"),), 20) == (
        "SERVICE  ADDRESS\nwiki     http://wiki\n         .localhost:\n         7080/\n"
    )


WORDS = st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), max_size=6).map(" ".join)


@given(rows=st.lists(st.tuples(*[WORDS] * 5), min_size=1, max_size=4), width=st.integers(40, 120))
def test_no_word_is_lost_or_broken(rows: list[tuple[str, ...]], width: int) -> None:
    shown = render(("one", "two", "three", "four", "five"), rows, width)
    assert max(map(len, shown.splitlines())) <= width
    words = shown.split()
    for row in rows:
        for cell in row:
            assert all(word in words for word in cell.split())


CELLS = st.text("ab ,é漢\n", max_size=9)


@given(rows=st.lists(st.tuples(*[WORDS | CELLS] * 3), max_size=4), width=st.integers(10, 80))
def test_without_a_terminal_a_table_that_needs_no_folding_is_the_same(rows: list[tuple[str, ...]], width: int) -> None:
    columns = ("one", "two", "three")
    lines = make_lines(columns, rows, width)
    if lines:
        assert "".join(f"{line.rstrip()}\n" for line in lines) == render(columns, rows, width)
    elif all(cell.isascii() and "\n" not in cell for row in rows for cell in row):
        assert max(map(len, make_lines(columns, rows, 500))) > width


WATCHING = """
from darkpeak.errors import SystemFailure
from darkpeak.output import show_lines, watch
looks = iter(["healthy", SystemFailure("no engine"), *["stopped"] * 1000])
def look():
    found = next(looks)
    if isinstance(found, SystemFailure):
        raise found
    return found
watch(look, lambda found: show_lines(["wiki " + found]), seconds=0.2)
"""


def test_what_is_watched_is_shown_again_until_it_is_ended() -> None:
    environment = {**os.environ, "TERM": "xterm"}
    with on_terminal([sys.executable, "-c", WATCHING], TOP, environment) as terminal:
        for shown in ("wiki healthy", "Ctrl-C ends it", "no engine", "wiki stopped"):
            terminal.expect(shown)
        terminal.type("\x03")
        assert terminal.end() == 0


def test_nothing_is_watched_without_a_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHING], capture_output=True, text=True, check=False, timeout=30)
    assert "--watch needs a terminal" in done.stderr


def test_a_command_prints_one_document(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is the document where there is no result; after one, it is lines on standard error."""
    monkeypatch.setattr(output, "_documents", [])
    failed = CheckFailed("wiki was not saved", hint="see why")
    show_json(["saved: chat"])
    show_error(failed, None, (), as_json=True)
    both = capsys.readouterr()
    assert json.loads(both.out) == ["saved: chat"]
    assert both.err == "error: wiki was not saved\n  see why\n"
    output._documents.clear()
    show_error(failed, None, (), as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "wiki was not saved"


def test_a_document_says_which_hosts_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has one shape: the error, with the hosts, and the result, which is as it is without an error."""
    monkeypatch.setattr(output, "_documents", [])
    monkeypatch.setattr(output, "_failures", [])
    far = HostFailure("far", ("wiki",), answers=False, last_answer="", why="Connection refused", hint="switch it on")
    failures: dict[str, HostFailure] = {}
    output.watch_failures(failures)
    show_json(["chat"])
    assert json.loads(capsys.readouterr().out) == ["chat"]
    failures["far"] = far
    show_json(["chat"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["result"] == ["chat"]
    assert answer["error"]["hosts"] == [json.loads(json.dumps(asdict(far)))]
    show_error(HostsFailed([far]), None, (), as_json=True)
    lines = ["error: host far (wiki) does not answer: Connection refused", "  all else is done; switch it on", ""]
    assert capsys.readouterr().err.split("\n") == lines
    output._documents.clear()
    show_error(HostsFailed([far], done=False), None, (), as_json=True)
    assert "result" not in json.loads(capsys.readouterr().out)
