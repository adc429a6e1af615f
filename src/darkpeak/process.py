"""The one place that starts programs: an argument list in; exit code, output and last lines out.

Every program has a deadline, so that one that hangs holds neither the command nor its lock for ever. Every one is
logged (see trace.py), with what may be a secret masked. Each runs in a process group of its own, so that all that it
started can be ended with it; `interrupt` hands Ctrl-C on to them.
"""

import errno
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Timer
from typing import IO, Self

from darkpeak.errors import SystemFailure
from darkpeak.result import Result
from darkpeak.trace import display

SHORT_SECONDS = 120.0  # a question that a healthy engine answers at once
LONG_SECONDS = 3600.0  # a build, a start, an image that is sent
SCRIPT_SECONDS = 4 * 3600.0  # a service's own backup or restore of much data
GRACE_SECONDS = 5.0  # between asking a program to end and killing it

WITH_OUTPUT = subprocess.STDOUT  # errors come with the output, in their order
log = logging.getLogger("darkpeak.process")
_interruptible: set["subprocess.Popen[bytes]"] = set()
_registry = Lock()


class TookTooLong(SystemFailure):
    """A program did not end before its deadline."""


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = SHORT_SECONDS,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run a program to its end and keep what it prints.

    Raises:
        TookTooLong: when it has not ended after so many seconds; then it is killed.
        SystemFailure: when it cannot be started.
    """
    started = time.monotonic()
    with _started(argv, environment, pass_fds) as process:
        try:
            stdout, stderr = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired as error:
            _kill(process)
            process.communicate()
            raise _late(argv, seconds) from error
    result = Result(process.returncode, stdout, stderr)
    _log_end(argv, started, result)
    return result


def run_into(argv: Sequence[str], file: IO[bytes], *, seconds: float | None) -> int:
    """Run a program that may ask on the terminal and stay in the background; its output goes to a file.

    Raises:
        TookTooLong: when it has not ended after so many seconds; then it is killed.
        SystemFailure: when it cannot be started.
    """
    started = time.monotonic()
    try:
        null = subprocess.DEVNULL
        done = subprocess.run(argv, stdin=null, stdout=file, stderr=file, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise _late(argv, seconds or 0) from error
    except OSError as error:
        raise explain(argv, error) from error
    _log_end(argv, started, Result(done.returncode))
    return done.returncode


def stream(  # noqa: PLR0913 (what a process is)
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = LONG_SECONDS,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run a program to its end, and hand on each line of its output and errors while it prints them.

    Raises:
        TookTooLong: when it has not ended after so many seconds; then it is killed.
        SystemFailure: when it cannot be started.
    """
    started, lines = time.monotonic(), []
    with _started(argv, environment, pass_fds, stderr=subprocess.STDOUT) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 (pipes, for the type checker)
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin)
        with Watchdog(process, seconds) as watchdog:
            for line in process.stdout:
                lines.append(line)
                text = line.decode(errors="replace").strip()
                log.info("  %s", text)
                on_line(text)
            process.wait()
    if watchdog.expired:
        raise _late(argv, seconds)
    result = Result(process.returncode, b"".join(lines))
    _log_end(argv, started, result)
    return result


class Child:
    """A program that runs while we talk to it by its standard input and output."""

    def __init__(self, argv: Sequence[str], process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin and process.stdout  # noqa: S101, PT018 (pipes, for the type checker)
        self.argv = argv
        self.process = process
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout

    def read_line(self, seconds: float = SHORT_SECONDS) -> bytes:
        """Return its next line; empty when it ended, or printed none in time and was killed."""
        with Watchdog(self.process, seconds):
            return self.stdout.readline()

    def errors(self) -> Result:
        """Wait for its end, and return it with what it wrote on standard error."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        stderr = self.process.stderr.read() if self.process.stderr else b""
        return Result(self.process.wait(), b"", stderr)


@contextmanager
def talk(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stderr: IO[bytes] | int | None = subprocess.PIPE,
    interruptible: bool = False,
) -> Iterator[Child]:
    """Start a program, and end it by ending its standard input; what does not end then is killed.

    Ctrl-C does not reach it unless it is `interruptible`: a lock must last until what it guards has ended.

    Raises:
        SystemFailure: when it cannot be started.
    """
    started = time.monotonic()
    log.info("$ %s", display(argv))
    with _started(argv, environment, (), stderr=stderr, interruptible=interruptible) as process:
        child = Child(argv, process)
        try:
            yield child
        finally:
            with suppress(BrokenPipeError):
                child.stdin.close()
            with Watchdog(process, SHORT_SECONDS):
                if not child.stdout.closed:
                    child.stdout.read()
                process.wait()
            log.debug("ended after %.2f s: %s", time.monotonic() - started, display(argv))


def pipe(
    source: Sequence[str],
    target: Sequence[str],
    *,
    source_environment: Mapping[str, str],
    target_environment: Mapping[str, str],
    seconds: float = LONG_SECONDS,
) -> tuple[Result, Result]:
    """Run two programs, the output of one as the input of the other, and return how both ended.

    Raises:
        SystemFailure: when one cannot be started, or they have not ended after so many seconds.
    """
    started = time.monotonic()
    with talk(source, environment=source_environment, interruptible=True) as child:
        receiver = subprocess.Popen(
            target, env=target_environment, stdin=child.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with receiver, Watchdog(receiver, seconds) as watchdog:
            child.stdout.close()  # so that the source learns when the target has ended
            stdout, stderr = receiver.communicate()
        if watchdog.expired:
            raise _late(target, seconds)
        sent, received = child.errors(), Result(receiver.returncode, stdout, stderr)
    _log_end(target, started, received)
    return sent, received


def attach(argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> int:
    """Run a program on the caller's own terminal, without a deadline, and return its exit code.

    Raises:
        SystemFailure: when it cannot be started.
    """
    log.info("$ %s", display(argv))
    try:
        return subprocess.run(argv, env=environment, check=False).returncode
    except OSError as error:
        raise explain(argv, error) from error


class Watchdog:
    """Kills a program that takes too long: so many seconds after it was set, or last told of progress."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self._process, self._seconds = process, seconds
        self.expired = False
        self._timer = self._make_timer()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def renew(self) -> None:
        """Begin to count anew: the program makes progress."""
        self._timer.cancel()
        self._timer = self._make_timer()
        self._timer.start()

    def _make_timer(self) -> Timer:
        timer = Timer(self._seconds, self._expire)
        timer.daemon = True
        return timer

    def _expire(self) -> None:
        self.expired = True
        log.info("killed after %.0f s", self._seconds)
        _kill(self._process)


def interrupt() -> None:
    """Hand Ctrl-C on to every program that runs now, as a terminal would."""
    with _registry:
        running = list(_interruptible)
    for process in running:
        _signal(process, signal.SIGINT)


def surroundings() -> dict[str, str]:
    """Return the environment in which this command was started."""
    return dict(os.environ)


def explain(argv: Sequence[str], error: OSError) -> SystemFailure:
    """Return why a program could not be started, and what helps."""
    program = Path(argv[0])
    if not program.is_absolute():
        return SystemFailure(f"{program} is not installed", hint="bin/setup installs what is missing")
    if error.errno == errno.EACCES:
        return SystemFailure(f"{program.name} is not executable", str(program), f"chmod +x {program}")
    if error.errno == errno.ENOEXEC:
        return SystemFailure(f"{program.name} has no interpreter", str(program), "write #!/bin/sh as its first line")
    if program.exists():
        hint = "look at its first line: the program named there must exist, and the line end in LF, not CRLF"
        return SystemFailure(f"the interpreter of {program.name} is missing", str(program), hint)
    return SystemFailure(f"{program.name} is missing", str(program), "restore it from git")


@contextmanager
def _started(
    argv: Sequence[str],
    environment: Mapping[str, str] | None,
    pass_fds: Sequence[int],
    *,
    stderr: IO[bytes] | int | None = subprocess.PIPE,
    interruptible: bool = True,
) -> Iterator["subprocess.Popen[bytes]"]:
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            argv, env=environment, stdin=pipe, stdout=pipe, stderr=stderr, pass_fds=pass_fds, process_group=0
        )
    except OSError as error:
        raise explain(argv, error) from error
    if interruptible:
        with _registry:
            _interruptible.add(process)
    try:
        with process:
            try:
                yield process
            except BaseException:
                _kill(process)
                raise
    finally:
        with _registry:
            _interruptible.discard(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a program and all that it started: it is asked first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is not None:
            return
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _late(argv: Sequence[str], seconds: float) -> TookTooLong:
    what = f"{display(argv[:4])} … did not end within {seconds:.0f} s, and was stopped"
    return TookTooLong(what, hint="is the engine or the container stuck? darkpeak doctor looks; then try again")


def _log_end(argv: Sequence[str], started: float, result: Result) -> None:
    code = f", exit code {result.code}" if result.code else ""
    log.info("$ %s (%.2f s%s)", display(argv), time.monotonic() - started, code)
    if result.code:
        log.debug("%s", result.last_lines(20))
