"""When a certificate is due. Pure: the clock and the dice (from 0 to 1) come in as arguments."""

HOUR = 3600
DAY = 24 * HOUR
FIRST_PAUSE = 300
JITTER = 0.03  # of the life, before its two thirds: so that names certified in one night part ways


def at_two_thirds(begin: float, until: float, dice: float) -> float:
    """Return when to renew if the CA has no say in it."""
    return begin + (until - begin) * (2 / 3 - dice * JITTER)


def in_window(start: float, end: float, until: float, dice: float) -> float:
    """Return a moment of the time that the CA suggests, but never so late that nothing may go wrong any more."""
    return min(start + (end - start) * dice, max(start, until - DAY))


def pause(failures: int, dice: float) -> float:
    """Return for how long to leave the CA alone after so many failures in a row: twice as long each time."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), DAY) * (0.75 + dice / 2)
