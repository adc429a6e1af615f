"""When a certificate is due. Pure: the time and the dice (a random number from 0 to 1) are arguments."""

HOUR = 3600
DAY = 24 * HOUR
FIRST_PAUSE = 300
JITTER = 0.03  # of the life, before its two thirds: so that certificates of one night are renewed at different times


def at_two_thirds(begin: float, until: float, dice: float) -> float:
    """Return when to renew if the CA suggests no time."""
    return begin + (until - begin) * (2 / 3 - dice * JITTER)


def in_window(start: float, end: float, until: float, dice: float) -> float:
    """Return a moment in the time that the CA suggests, but leave a day for failures before the certificate expires."""
    return min(start + (end - start) * dice, max(start, until - DAY))


def pause(failures: int, dice: float) -> float:
    """Return how many seconds to wait after this number of failures in a row: twice as long each time."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), DAY) * (0.75 + dice / 2)
