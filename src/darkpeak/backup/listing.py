"""The sets in all repositories of a session: asked for once, and kept up with what we change ourselves.

The session's lease makes that right: nobody else makes or removes sets of this engine meanwhile. Each question costs
restic a second to derive the key, so the answer is waited for only when it is needed, while a service's script runs.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from darkpeak.backup.sets import KnownSet
from darkpeak.backup.store import Store


class Listing:
    """What the repositories hold; begins to ask them when it is made."""

    def __init__(self, stores: Sequence[Store]) -> None:
        pool = ThreadPoolExecutor(len(stores))
        self._asked = [pool.submit(store.list_sets) for store in stores]
        self._added: list[KnownSet] = []
        self._gone: set[str] = set()
        pool.shutdown(wait=False)

    def read(self) -> list[KnownSet]:
        """Return all sets, each repository's newest last."""
        found = [*(known for asked in self._asked for known in asked.result()), *self._added]
        return [known for known in found if known.snapshot not in self._gone]

    def add(self, known: KnownSet) -> None:
        """Note a set that was made."""
        self._added.append(known)

    def remove(self, snapshots: Iterable[str]) -> None:
        """Note what was removed."""
        self._gone |= set(snapshots)
