"""The repositories of a session: which can be used, and the sets in them. Asked while other work goes on.

Each question costs restic half a second or more to derive the key, so its answer is waited for only where it is
needed. Each repository is asked by itself: one that does not answer holds up no other. The sets are asked for once, and
kept up with what we change ourselves: by the session's lease nobody else changes those of this engine meanwhile.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from darkpeak.errors import DarkpeakError
from darkpeak.repository.restic import Store
from darkpeak.repository.snapshots import Snapshot


class Repositories:
    """Those that the collective names; begins to ask them when it is made."""

    def __init__(self, stores: Sequence[Store]) -> None:
        pool = ThreadPoolExecutor(2 * len(stores))
        self._opened = [(store, pool.submit(store.open)) for store in stores]
        self._listed = {store.number: pool.submit(_list, store, opened) for store, opened in self._opened}
        self._added: list[Snapshot] = []
        self._gone: set[str] = set()
        pool.shutdown(wait=False)

    def absent(self) -> tuple[DarkpeakError, ...]:
        """Return why those cannot be used that cannot."""
        return tuple(error for _, opened in self._opened if (error := _failure(opened)))

    def stores(self) -> tuple[Store, ...]:
        """Return those that can be used.

        Raises:
            DarkpeakError: why not, when not a single one can.
        """
        ready = tuple(store for store, opened in self._opened if not _failure(opened))
        if not ready:
            raise self.absent()[0]
        return ready

    def snapshots(self) -> list[Snapshot]:
        """Return all sets in those that can be used, each repository's newest last."""
        listed = (known for store in self.stores() for known in self._listed[store.number].result())
        return [known for known in (*listed, *self._added) if known.snapshot not in self._gone]

    def add(self, known: Snapshot) -> None:
        """Note a set that was made."""
        self._added.append(known)

    def remove(self, snapshots: Iterable[str]) -> None:
        """Note what was removed."""
        self._gone |= set(snapshots)


def _list(store: Store, opened: Future[None]) -> list[Snapshot]:
    opened.result()
    return store.list_snapshots()


def _failure(opened: Future[None]) -> DarkpeakError | None:
    """Wait for a repository; return why it cannot be used."""
    try:
        opened.result()
    except DarkpeakError as error:
        return error
    return None
