"""The repositories of a session: which can be used, and their snapshots. They are opened in the background.

Each call of restic takes half a second or more, to derive the key, so we wait for a result only when we need it.
Each repository is opened separately, so that one that does not answer does not delay the others. The snapshots are
listed once, and then updated with our own changes: because of the session's lock, nobody else changes those of this
engine.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from darkpeak.errors import DarkpeakError
from darkpeak.repository.restic import ResticRepository
from darkpeak.repository.snapshots import Snapshot


class Repositories:
    """The repositories of a session; it begins to open them when it is made."""

    def __init__(self, named: Sequence[ResticRepository]) -> None:
        pool = ThreadPoolExecutor(2 * len(named))
        self._opened = [(repository, pool.submit(repository.open)) for repository in named]
        self._listed = {
            repository.number: pool.submit(_list, repository, opened) for repository, opened in self._opened
        }
        self._added: list[Snapshot] = []
        self._gone: set[str] = set()
        pool.shutdown(wait=False)

    def unusable(self) -> tuple[DarkpeakError, ...]:
        """Return an error for each repository that cannot be used."""
        return tuple(error for _, opened in self._opened if (error := _failure(opened)))

    def usable(self) -> tuple[ResticRepository, ...]:
        """Return the repositories that can be used.

        Raises:
            DarkpeakError: when none can be used; the first repository's error.
        """
        ready = tuple(repository for repository, opened in self._opened if not _failure(opened))
        if not ready:
            raise self.unusable()[0]
        return ready

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots in all usable repositories; the newest of each repository is last."""
        listed = (known for repository in self.usable() for known in self._listed[repository.number].result())
        return [known for known in (*listed, *self._added) if known.restic_id not in self._gone]

    def add(self, known: Snapshot) -> None:
        """Add a snapshot that was made."""
        self._added.append(known)

    def remove(self, restic_ids: Iterable[str]) -> None:
        """Remove snapshots that were deleted."""
        self._gone |= set(restic_ids)


def _list(repository: ResticRepository, opened: Future[None]) -> list[Snapshot]:
    opened.result()
    return repository.list_snapshots()


def _failure(opened: Future[None]) -> DarkpeakError | None:
    """Wait until a repository is opened; return the error if it cannot be used, else None."""
    try:
        opened.result()
    except DarkpeakError as error:
        return error
    return None
