"""Delete snapshots that the retention policy does not cover."""

from collections.abc import Sequence

from darkpeak.actions.session import Session
from darkpeak.repository import retention
from darkpeak.repository.retention import Kept


def decide(session: Session) -> list[Kept]:
    """Return every snapshot of every repository, with the reasons to keep it."""
    keep, known = session.target.collective.backup.keep, session.snapshots()
    names = [one.name for one in session.repositories.usable()]
    return [item for name in names for item in retention.decide([one for one in known if one.repository == name], keep)]


def prune(session: Session, decided: Sequence[Kept]) -> None:
    """Delete snapshots without a reason to stay, what only they needed, and what dead helpers left unfinished."""
    for one in session.repositories.usable():
        gone = [item.known.restic_id for item in decided if item.known.repository == one.name and not item.why]
        if gone:
            session.progress.step("prune", f"deleting {len(gone)} snapshots of {one.name}")
            one.forget(gone)
            session.repositories.remove(gone)
        one.sweep()
