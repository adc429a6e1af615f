"""Do the same for several things at the same time, with a deadline, so that one that hangs does not stop the others."""

import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import TypeVar

from darkpeak.errors import DarkpeakError

T = TypeVar("T")
R = TypeVar("R")


def at_once(
    act: Callable[[T], R], items: Sequence[T], *, seconds: float, late: Callable[[T], DarkpeakError]
) -> list[R | DarkpeakError]:
    """Call `act` with all items at the same time; return what it returned or raised, in the order of the items.

    For an item whose call has not ended after `seconds`, that is what `late` returns. Its thread is left alone; like
    all threads here, it does not keep the program alive, so Ctrl-C works at once.

    Raises:
        Exception: the first error of `act` that is not one of ours.
    """
    done: dict[int, R | DarkpeakError] = {}
    bugs: list[BaseException] = []

    def call(number: int, item: T) -> None:
        try:
            done[number] = act(item)
        except DarkpeakError as error:
            done[number] = error
        except BaseException as error:  # noqa: BLE001 (it is raised below, in the caller's thread)
            bugs.append(error)

    threads = [Thread(target=call, args=pair, daemon=True) for pair in enumerate(items)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if bugs:
        raise bugs[0]
    return [done[number] if number in done else late(item) for number, item in enumerate(items)]
