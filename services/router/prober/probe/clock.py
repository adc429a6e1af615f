"""The prober's time: that of the machine, but it never goes back. Pure, but for the two clocks that it is given."""

from collections.abc import Callable

JUMP = 90.0  # seconds; a round that begins later than that was not measured


class Clock:
    """Counts seconds since 1970. If the machine's clock is set back, it goes on by the time since boot."""

    def __init__(self, wall: Callable[[], float], since_boot: Callable[[], float], last: float) -> None:
        """Begin after `last`, the end of the last round; 0 if there was none."""
        self._wall, self._since_boot = wall, since_boot
        self._last, self._boot = max(last, wall()), since_boot()

    def now(self) -> int:
        """Return the time."""
        boot = self._since_boot()
        self._last = max(self._wall(), self._last + boot - self._boot)
        self._boot = boot
        return int(self._last)
