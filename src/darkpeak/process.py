"""Start programs: an argument list in; exit code, output and last lines out. No other file starts programs.

Every program has a deadline, so that a program that hangs does not block the command, and its lock, for ever. Every
program is logged (see trace.py), with words that may be secret masked. Each runs in its own process group, so that it
can be ended with all its children; `interrupt` passes Ctrl-C on to them.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import IO, Self

from darkpeak.errors import SystemFailure
from darkpeak.result import Result, explain_start
from darkpeak.trace import display

SHORT_SECONDS = 120.0  # for a request that a healthy engine answers at once
LONG_SECONDS = 3600.0  # for a build, a start, or sending an image
SCRIPT_SECONDS = 4 * 3600.0  # for a service's own backup or restore of much data
GRACE_SECONDS = 5.0  # between asking a program to end and killing it

WITH_OUTPUT = subprocess.STDOUT  # standard error goes to standard output
log = logging.getLogger("darkpeak.process")
# What runs: whether Ctrl-C reaches it, and the daemon that it uses.
_running: dict["subprocess.Popen[bytes]", tuple[bool, str]] = {}
_registry = Lock()


class TookTooLong(SystemFailure):
    """A program did not end before its deadline."""


def run(  # noqa: PLR0913 (what a process is)
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = SHORT_SECONDS,
    pass_fds: Sequence[int] = (),
    umask: int = -1,  # that of this process
) -> Result:
    """Run a program to its end; return its exit code and output.

    Raises:
        TookTooLong: when it has not ended after `seconds`; it is killed then.
        SystemFailure: when it cannot be started.
    """
    started = time.monotonic()
    with _started(argv, environment, pass_fds, umask=umask) as process:
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
    """Run a program that may ask on the terminal and stay in the background; return its exit code.

    Its output goes to a file.

    Raises:
        TookTooLong: when it has not ended after `seconds`; it is killed then.
        SystemFailure: when it cannot be started.
    """
    started = time.monotonic()
    with _started(argv, None, (), into=file) as process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise _late(argv, seconds or 0) from error
    _log_end(argv, started, Result(code))
    return code


def stream(  # noqa: PLR0913 (what a process is)
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = LONG_SECONDS,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run a program to its end, and call `on_line` with each line that it prints; return how it ended.

    Raises:
        TookTooLong: when it has not ended after `seconds`; it is killed then.
        SystemFailure: when it cannot be started.
    """
    started, lines = time.monotonic(), []
    with _started(argv, environment, pass_fds, stderr=subprocess.STDOUT) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 (pipes, for the type checker)
        with Watchdog(process, seconds) as watchdog:
            with suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(stdin)
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
    """A running program that we talk to over its standard input and output."""

    def __init__(self, argv: Sequence[str], process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin and process.stdout  # noqa: S101, PT018 (pipes, for the type checker)
        self.argv = argv
        self.process = process
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout

    def read_line(self, seconds: float = SHORT_SECONDS) -> bytes:
        """Return its next line; empty when it has ended, or when it printed none in time and was killed."""
        with Watchdog(self.process, seconds):
            return self.stdout.readline()

    def errors(self) -> Result:
        """Wait for its end; return its exit code and standard error."""
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
    """Start a program, and end it by closing its standard input; a program that does not end then is killed.

    Ctrl-C does not reach it unless it is `interruptible`: a lock must last until the work that it protects has ended.

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
    """Run two programs, the first one's output as the second one's input; return how both ended.

    Raises:
        SystemFailure: when one cannot be started, or when they have not ended after `seconds`.
    """
    started = time.monotonic()
    with talk(source, environment=source_environment, interruptible=True) as child:
        receiver = subprocess.Popen(
            target, env=target_environment, stdin=child.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with receiver, Watchdog(receiver, seconds) as watchdog:
            child.stdout.close()  # so that the source notices when the target has ended
            stdout, stderr = receiver.communicate()
        if watchdog.expired:
            raise _late(target, seconds)
        sent, received = child.errors(), Result(receiver.returncode, stdout, stderr)
    _log_end(target, started, received)
    return sent, received


def attach(
    argv: Sequence[str], on_line: Callable[[str], None] | None = None, *, environment: Mapping[str, str] | None = None
) -> int:
    """Run a program on the caller's terminal, without a deadline, or give its lines to `on_line`; return its exit code.

    Raises:
        SystemFailure: when it cannot be started.
    """
    log.info("$ %s", display(argv))
    try:
        child = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE if on_line else None)
    except OSError as error:
        raise explain_start(argv, error) from error
    with child:
        try:
            for line in child.stdout or ():
                on_line(line.decode(errors="replace").rstrip("\n")) if on_line else None
        except BaseException:
            child.kill()
            raise
    return child.returncode


class Watchdog:
    """Kills a program that has made no progress for `seconds`."""

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
        """Restart the count: the program made progress."""
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
    """Pass Ctrl-C on to every running program, as a terminal does."""
    with _registry:
        running = [process for process, (interruptible, _) in _running.items() if interruptible]
    for process in running:
        _signal(process, signal.SIGINT)


def end_users_of(daemon: str) -> None:
    """End every running program that uses a daemon (the URI in its DOCKER_HOST), because that does not answer."""
    with _registry:
        running = [process for process, (_, its) in _running.items() if its == daemon]
    for process in running:
        _kill(process)


def own_environment() -> dict[str, str]:
    """Return the environment variables of this command."""
    return dict(os.environ)


@contextmanager
def _started(  # noqa: PLR0913 (what a process is)
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    fds: Sequence[int],
    *,
    stderr: IO[bytes] | int | None = subprocess.PIPE,
    interruptible: bool = True,
    umask: int = -1,
    into: IO[bytes] | None = None,  # its output, if it has no pipes and belongs to the terminal, where it may ask
) -> Iterator["subprocess.Popen[bytes]"]:
    source, pipe, errors = (subprocess.DEVNULL, into, into) if into else (subprocess.PIPE, subprocess.PIPE, stderr)
    group = None if into else 0
    with _registry:  # a Ctrl-C meanwhile waits, so that it does not miss the new program
        try:
            process = subprocess.Popen(
                argv, env=env, pass_fds=fds, umask=umask, process_group=group, stdin=source, stdout=pipe, stderr=errors
            )
        except OSError as error:
            raise explain_start(argv, error) from error
        _running[process] = (interruptible, (env or {}).get("DOCKER_HOST", ""))
    try:
        with process:
            try:
                yield process
            except BaseException:
                _kill(process)
                raise
    finally:
        with _registry:
            del _running[process]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a program and all its children: with SIGTERM first, then with SIGKILL."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _late(argv: Sequence[str], seconds: float) -> TookTooLong:
    what = f"{display(argv[:4])} … did not end within {seconds:.0f} s and was stopped"
    return TookTooLong(what, hint="check the engine, then try again: darkpeak doctor")


def _log_end(argv: Sequence[str], started: float, result: Result) -> None:
    code = f", exit code {result.code}" if result.code else ""
    log.info("$ %s (%.2f s%s)", display(argv), time.monotonic() - started, code)
    if result.code:
        log.debug("%s", result.last_lines(20))
