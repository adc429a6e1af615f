"""Run one of a service's own scripts in the helper: `python3 -m image.script SCRIPT ARGUMENT…`.

Questions to the `darkpeak` that started it go to standard output, and the answers come on standard input (protocol.py).
The script's own output goes to standard error. If the caller ends, the script is killed.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from .protocol import CONTROL, Question

NOT_STARTED = 126  # as in a shell


def converse(script: subprocess.Popen[bytes], listener: socket.socket) -> int:
    """Pass on the questions of the script's `docker`, until the script ends; return its exit code."""
    end = os.pidfd_open(script.pid)
    answers = os.fdopen(0, "rb", buffering=0)  # without a buffer, so that select sees all input
    watched: list[Any] = [end, listener, answers]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if end in ready:
            return script.wait()
        if listener in ready:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                sys.stdout.buffer.write(stream.readline())
                sys.stdout.flush()
                answer = answers.readline()
                if answer:
                    stream.write(answer)
        elif answers in ready:  # input without a question is the end of input: the caller has ended
            os.killpg(script.pid, signal.SIGKILL)
            return script.wait()


def run(argv: list[str], listener: socket.socket) -> int:
    """Run the script; return its exit code."""
    try:
        script = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"it cannot be started in the backup helper: {error.strerror}\n")
        return NOT_STARTED
    with script:
        return converse(script, listener)


def main(argv: list[str]) -> None:
    """Run the script, and say how it ended."""
    Path(CONTROL).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(CONTROL)
        listener.listen()
        code = run(argv, listener)
    ended: Question = {"ask": "end", "code": code}
    sys.stdout.write(json.dumps(ended) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
