"""The care of repositories: sets that nobody needs any more go, and what lies there is read back."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak.actions.session import Session
from darkpeak.errors import CheckFailed, DarkpeakError
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.repository import retention
from darkpeak.repository.retention import Kept

SHARES = 30  # of a repository: one a day reads all of it in a month


@dataclass(frozen=True)
class Scrubbed:
    """How one repository's share went."""

    repository: str
    share: str
    good: bool
    said: str = ""


def decide(session: Session) -> list[Kept]:
    """Return every set of every repository, with the reasons to keep it."""
    keep = session.place.collective.backup.keep
    known = session.snapshots()
    names = [store.repository.name for store in session.stores]
    return [item for name in names for item in retention.decide([one for one in known if one.repository == name], keep)]


def prune(session: Session, decided: Sequence[Kept]) -> None:
    """Remove the sets that have no reason to stay, what only they needed, and what dead helpers left half written."""
    for store in session.stores:
        name = store.repository.name
        gone = [item.known.snapshot for item in decided if item.known.repository == name and not item.why]
        if gone:
            session.progress.step("prune", f"{len(gone)} sets of {name}")
            store.forget(gone)
            session.repositories.remove(gone)
        store.sweep()


def scrub(session: Session, *, whole: bool) -> list[Scrubbed]:
    """Read back the next share of each repository, or all of it.

    A damaged one is said, not raised: the others are read as well. Which share is next is recorded on the daemon, and
    not reckoned from a date.
    """
    done = [Scrubbed("", "", good=False, said=error.message) for error in session.absent]
    for store in session.stores:
        name = store.repository.name
        last = records.find(session.engine, records.SCRUB, name)
        number = (last.number if last else 0) % SHARES + 1
        share = "1/1" if whole else f"{number}/{SHARES}"
        session.progress.step("scrub", f"{share} of {name}")
        try:
            store.check(share)
            result = Scrubbed(name, share, good=True)
        except CheckFailed as error:
            result = Scrubbed(name, share, good=False, said=error.message)
        except DarkpeakError as error:
            done.append(Scrubbed(name, share, good=False, said=error.message))
            continue
        facts = Record(records.SCRUB, name, records.now(), share, result.good, result.said, number=number)
        records.write(session.engine, facts)
        done.append(result)
    return done
