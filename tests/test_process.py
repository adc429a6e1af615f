"""process.py with real programs: deadlines, children, last lines, Ctrl-C."""

import os
import time
from pathlib import Path
from threading import Thread

import pytest

from darkpeak import process
from darkpeak.errors import SystemFailure
from darkpeak.result import Result

# Starts a child, which writes its process number, and waits for ever; both ignore SIGTERM.
STUBBORN = "trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$ >$1; sleep 600\" & wait; sleep 600"


def is_gone(file: Path) -> bool:
    """Return whether the process whose number is in a file has ended."""
    number = int(file.read_text())
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_result_of_a_program() -> None:
    argv = ("sh", "-c", 'cat; echo "$X"; echo no >&2; exit 3')
    result = process.run(argv, environment={**os.environ, "X": "y"}, stdin=b"in ")
    assert result == Result(3, b"in y\n", b"no\n")


def test_a_hanging_program_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    child = tmp_path / "child"
    with pytest.raises(process.TookTooLong, match=r"did not end within 1 s"):
        process.run(("sh", "-c", STUBBORN, "sh", str(child)), seconds=1)
    wait_until(lambda: is_gone(child))


def test_a_program_that_prints_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    lines: list[str] = []
    with pytest.raises(process.TookTooLong):
        process.stream(("sh", "-c", "while :; do echo on; sleep 0.1; done"), lines.append, seconds=1)
    assert "on" in lines


def test_a_program_that_never_reads_its_input_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    with pytest.raises(process.TookTooLong):
        process.stream(("sleep", "60"), print, stdin=b"x" * 1_000_000, seconds=0.3)


def test_each_line_is_passed_on_at_once() -> None:
    lines: list[tuple[str, float]] = []
    argv = ("sh", "-c", "cat; sleep 0.3; echo two >&2; exit 1")
    result = process.stream(argv, lambda line: lines.append((line, time.monotonic())), stdin=b"one\n")
    assert ([line for line, _ in lines], result.code) == (["one", "two"], 1)
    assert lines[1][1] - lines[0][1] > 0.2


def test_closing_the_input_ends_the_program() -> None:
    with process.talk(("cat",)) as child:
        child.stdin.write(b"held\n")
        child.stdin.flush()
        assert child.read_line() == b"held\n"
        number = child.process.pid
    assert not Path(f"/proc/{number}").exists()


def test_waiting_for_an_answer_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    with process.talk(("sleep", "600")) as child:
        assert child.read_line(seconds=0.5) == b""
        assert child.errors().code != 0


def test_progress_restarts_the_watchdog() -> None:
    with process.talk(("sh", "-c", "for i in 1 2 3 4; do echo $i; sleep 0.4; done")) as child:
        with process.Watchdog(child.process, 1) as watchdog:
            for _ in child.stdout:
                watchdog.renew()
        assert (watchdog.expired, child.errors().code) == (False, 0)


def test_a_pipe_between_two_programs() -> None:
    environment = dict(os.environ)
    sent, received = process.pipe(
        ("sh", "-c", "seq 100000; echo bad >&2; exit 4"),
        ("wc", "-l"),
        source_environment=environment,
        target_environment=environment,
    )
    assert (sent.code, sent.last_line(), received.text.strip()) == (4, "bad", "100000")


def test_ctrl_c_ends_programs_but_not_those_that_hold_a_lock(tmp_path: Path) -> None:
    ready, ended = tmp_path / "ready", list[int]()
    trap = "trap 'exit 7' INT; : >\"$1\"; while :; do sleep 0.1; done"

    def work() -> None:
        # The tests may run in the background of a shell, where programs begin with SIGINT ignored.
        argv = ("env", "--default-signal=INT", "sh", "-c", trap, "sh", str(ready))
        ended.append(process.run(argv, seconds=20).code)

    with process.talk(("cat",)) as lock:
        thread = Thread(target=work)
        thread.start()
        wait_until(ready.exists)
        process.interrupt()
        thread.join()
        assert lock.process.poll() is None
    assert ended == [7]


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"echo", 0o755, "Exec format error"),
        (b"#!/bin/sh", 0o644, "Permission denied"),
        (b"#!/no/such", 0o755, "No such file or directory"),
    ],
)
def test_a_program_that_cannot_be_started_is_named_with_the_reason(
    tmp_path: Path, content: bytes, mode: int, why: str
) -> None:
    program = tmp_path / "program"
    program.write_bytes(content)
    program.chmod(mode)
    with pytest.raises(SystemFailure, match=f"program cannot be started: {why}") as failed:
        process.run((str(program),))
    assert failed.value.where == str(program)


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(SystemFailure, match="no-such-program is not installed"):
        process.run(("no-such-program",))


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (Result(1, b"out\n", b"one\ntwo\n"), "two"),
        (Result(1, b"out\n", b""), "out"),
        (Result(1), "no error output"),
        (Result(-9), "killed by SIGKILL"),
        (Result(-15, b"", b"half\n"), "killed by SIGTERM, after “half”"),
        (Result(-63), "killed by signal 63"),
        (Result(125, b"", b"docker: Conflict.\nSee 'docker run --help'.\n"), "docker: Conflict."),
        (Result(125, b"", b"docker: no image\n\nRun 'docker run --help' for more information\n"), "docker: no image"),
    ],
    ids=["errors", "output", "nothing", "killed", "killed half way", "an odd signal", "advice", "newer advice"],
)
def test_the_last_line_of_a_result(result: Result, line: str) -> None:
    assert result.last_line() == line


def test_lines_are_passed_on_as_they_come_and_a_program_whose_lines_nobody_wants_is_killed() -> None:
    lines: list[str] = []
    code = process.attach(("sh", "-c", "printf 'one\\n\\377\\n'; exit 5"), lines.append)
    assert (lines, code) == (["one", "\ufffd"], 5)

    def refuse(line: str) -> None:
        raise BrokenPipeError(line)

    with pytest.raises(BrokenPipeError):
        process.attach(("sh", "-c", "echo one; exec sleep 60"), refuse)
