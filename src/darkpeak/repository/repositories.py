"""The repositories of a session: which can be used, and the snapshots in them. Asked while other work goes on.

Each question costs restic half a second or more to derive the key, so its answer is waited for only where it is
needed. Each repository is asked by itself: one that does not answer holds up no other. The snapshots are asked for
once, and kept up with what we change ourselves: by the session's lock nobody else changes those of this engine
meanwhile.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from darkpeak.errors import DarkpeakError
from darkpeak.repository.restic import ResticRepository
from darkpeak.repository.snapshots import Snapshot


class Repositories:
    """Those that the collective names; begins to ask them when it is made."""

    def __init__(self, named: Sequence[ResticRepository]) -> None:
        pool = ThreadPoolExecutor(2 * len(named))
        self._opened = [(one, pool.submit(one.open)) for one in named]
        self._listed = {one.number: pool.submit(_list, one, opened) for one, opened in self._opened}
        self._added: list[Snapshot] = []
        self._gone: set[str] = set()
        pool.shutdown(wait=False)

    def unusable(self) -> tuple[DarkpeakError, ...]:
        """Return why some cannot be used, an error for each."""
        return tuple(error for _, opened in self._opened if (error := _failure(opened)))

    def usable(self) -> tuple[ResticRepository, ...]:
        """Return those that can be used.

        Raises:
            DarkpeakError: the first reason, when not a single one can be used.
        """
        ready = tuple(one for one, opened in self._opened if not _failure(opened))
        if not ready:
            raise self.unusable()[0]
        return ready

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots in those that can be used, each repository's newest last."""
        listed = (known for one in self.usable() for known in self._listed[one.number].result())
        return [known for known in (*listed, *self._added) if known.restic_id not in self._gone]

    def add(self, known: Snapshot) -> None:
        """Note a snapshot that was made."""
        self._added.append(known)

    def remove(self, restic_ids: Iterable[str]) -> None:
        """Note snapshots that were removed."""
        self._gone |= set(restic_ids)


def _list(one: ResticRepository, opened: Future[None]) -> list[Snapshot]:
    opened.result()
    return one.list_snapshots()


def _failure(opened: Future[None]) -> DarkpeakError | None:
    """Wait for a repository; return why it cannot be used."""
    try:
        opened.result()
    except DarkpeakError as error:
        return error
    return None
