"""A load of requests: wrk requests pages until the block ends, and counts failures."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEW_CONNECTIONS = "Connection: close"  # a header
PAUSE_MS = 20  # between two requests of a connection; without it, the load takes all processor time
SCRIPT = Path(__file__).with_name("wrk.lua")
NUMBERS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)|3xx responses: (\d+)")


@dataclass
class Load:
    """The results of all streams of requests."""

    requests: list[int] = field(default_factory=list)  # of each stream
    failed: int = 0
    printed: str = ""

    def __str__(self) -> str:
        """Return the results for the test's output."""
        return f"{sum(self.requests)} requests ({self.requests}), {self.failed} failed"


def stream(url: str, *headers: str, connections: int = 4, pause: int = PAUSE_MS) -> list[str]:
    """Return the command of one stream of requests. A slow request has not failed."""
    options = [part for header in headers for part in ("-H", header)]
    wrk = ["wrk", "-t1", f"-c{connections}", "-d4h", "--timeout", "30s", "-s", str(SCRIPT)]
    return [*wrk, *options, url, "--", str(pause)]


@contextmanager
def load(*streams: Sequence[str]) -> Iterator[Load]:
    """Run these streams of requests until the block ends."""
    seen = Load()
    started = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for argv in streams]
    try:
        time.sleep(1)
        yield seen
        time.sleep(1)
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        printed = [process.communicate(timeout=60)[0] for process in started]
    seen.printed = "".join(printed)
    seen.requests = [int(count) for each in printed for count in re.findall(r"(\d+) requests in", each)]
    seen.failed = sum(int(number) for found in NUMBERS.findall(seen.printed) for number in found if number)
    assert len(seen.requests) == len(streams), seen.printed
