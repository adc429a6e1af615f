"""The search of a container's log, which can be larger than the memory of this machine."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from darkpeak.helper.search import search_output

TEXTS = ("ada", "ada@example.org")


def printing(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo hello", set()),
        ("echo ada", {"ada"}),
        ("echo ada >&2; echo ada@example.org", {*TEXTS}),
        ("echo hello; exit 1", None),
        ("echo ada; exit 1", None),  # the rest may have the other text
        ("echo ada@example.org; exec cat /dev/zero", {*TEXTS}),  # it need not end
    ],
)
def test_what_a_program_prints_is_searched(script: str, found: set[str] | None) -> None:
    assert search_output(printing(script), {"PATH": "/usr/bin:/bin"}, TEXTS) == found


def test_a_log_of_any_size_is_searched_in_little_memory(tmp_path: Path) -> None:
    program = tmp_path / "search.py"
    program.write_text(
        "from darkpeak.helper.search import search_output\n"
        "many = ('sh', '-c', 'head -c 400000000 /dev/zero; echo; echo ada')\n"
        "assert search_output(many, {'PATH': '/usr/bin:/bin'}, ('ada',)) == {'ada'}\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))

    subprocess.run([sys.executable, program], check=True, timeout=120, preexec_fn=limit)
