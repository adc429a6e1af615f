"""Many connections from many addresses: python -m tests.live.flood PORT NUMBER ADDRESSES DATA.

It opens them to 127.0.0.1 from 127.0.1.1 and the next addresses, sends DATA (hexadecimal) on each, prints a line, and
holds those that the router has not closed until its standard input ends.
"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from lab.collectives import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 14_000  # connections of one process, which may have 20,000 files open


@contextmanager
def flood(port: int, number: int, data: bytes = b"", *, addresses: int = 1) -> Iterator[None]:
    """Hold this many connections until the block ends."""
    with opening(port, number, data, addresses=addresses) as processes:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == b"opened\n"
        yield


@contextmanager
def opening(
    port: int, number: int, data: bytes = b"", *, addresses: int = 1
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Begin to open this many connections, and yield the processes: each prints a line when it has opened its own."""
    with ExitStack() as stack:
        processes = []
        for first in range(0, number, AT_ONCE):
            argv = [str(port), str(min(number - first, AT_ONCE)), str(addresses), data.hex()]
            command = [sys.executable, "-m", "tests.live.flood", *argv]
            process = stack.enter_context(
                subprocess.Popen(command, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            stack.callback(process.kill)
            processes.append(process)
        yield processes


def hold(port: int, number: int, addresses: int, data: bytes) -> list[socket.socket]:
    """Open connections; return those that the router has not closed at once."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened = []
    for each in range(number):
        with suppress(ConnectionError):
            connection = socket.create_connection(("127.0.0.1", port), 30, (f"127.0.1.{1 + each % addresses}", 0))
            opened.append(connection)
            connection.sendall(data)
    return opened


if __name__ == "__main__":
    held = hold(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4]))
    sys.stdout.write("opened\n")
    sys.stdout.flush()
    sys.stdin.read()
