"""Delete snapshots that the retention policy does not cover."""

from collections.abc import Sequence

from darkpeak.actions.session import Session
from darkpeak.collective import count
from darkpeak.repository import retention
from darkpeak.repository.retention import Retained


def decide(session: Session) -> list[Retained]:
    """Return every snapshot of every repository, with the reasons to keep it."""
    keep, known = session.target.collective.backup.keep, session.snapshots()
    found = []
    for repository in session.repositories.usable():
        found += retention.decide([item for item in known if item.repository == repository.name], keep)
    return found


def prune(session: Session, decided: Sequence[Retained]) -> None:
    """Delete the snapshots without a reason to keep them, their data, and what dead helpers left unfinished."""
    for repository in session.repositories.usable():
        own = [item for item in decided if item.snapshot.repository == repository.name]
        gone = [item.snapshot.restic_id for item in own if not item.why]
        if gone:
            session.progress.step("prune", f"deleting {count(len(gone), 'snapshot')} of {repository.name}")
            repository.forget(gone)
            session.repositories.remove(gone)
        repository.sweep()
