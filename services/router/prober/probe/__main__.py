"""Ask all routes every 30 seconds."""

import os
import signal
import threading
import time
from pathlib import Path

from .ask import Ports
from .clock import Clock
from .rounds import Prober
from .store import Store

TABLES, KEPT = Path("/var/lib/router"), Path("/var/lib/uptime")
ROUND, AGAIN = 30.0, 3.0  # seconds between two rounds; and before one that failed is asked once more


def since_boot() -> float:
    """Return the seconds since boot, with those of sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def main() -> None:
    """Run until the container is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # waits for no answer
    threading.stack_size(256 * 1024)
    ports = Ports(*(int(os.environ[name]) for name in ("HTTP_PORT", "HTTPS_PORT", "SSH_PORT")))
    store = Store(KEPT)
    prober = Prober(TABLES, store, ports, Clock(time.time, since_boot, store.alive()), AGAIN)
    while True:
        began = time.monotonic()
        prober.round()
        time.sleep(max(1.0, ROUND - (time.monotonic() - began)))


main()
