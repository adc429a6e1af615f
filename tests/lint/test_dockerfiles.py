"""Which lines of a Dockerfile are instructions."""

import pytest

from darkpeak.lint.build_file import read_instructions

CASES = {
    "plain": ("FROM debian\nRUN true\n", ["1 FROM", "2 RUN"]),
    "comments and empty lines": (
        "# syntax=x\n\nFROM debian\n  # more\nrun true",
        ["3 FROM", "5 run"],
    ),
    "continued": ("FROM debian\nRUN true \\\n && false \\\n # why\n && true\nCMD x", ["1 FROM", "2 RUN", "6 CMD"]),
    "continued over an empty line": ("RUN a \\\n\n b\nCMD x", ["1 RUN", "4 CMD"]),
    "a here-document": ("RUN <<EOF\nRNU\nEOF\nCMD x", ["1 RUN", "4 CMD"]),
    "two here-documents": ("COPY <<A <<'B' /x\na\nA\nb\nB\nCMD x", ["1 COPY", "6 CMD"]),
    "another escape": ("# escape=`\nFROM debian\nRUN a `\n b\nCMD x\\\nUSER y", ["2 FROM", "3 RUN", "5 CMD", "6 USER"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_instructions_are_found_and_continued_lines_are_skipped(text: str, expected: list[str]) -> None:
    assert [f"{line} {word}" for line, word in read_instructions(text)] == expected
