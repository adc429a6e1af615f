"""Read a share of each repository back, byte for byte: disks lose data without an error, and only reading finds it."""

from dataclasses import dataclass

from darkpeak.actions.session import Session
from darkpeak.errors import CheckFailed, DarkpeakError
from darkpeak.evidence import store
from darkpeak.evidence.record import now
from darkpeak.evidence.scrubs import ScrubRecord

SHARES = 30  # of a repository: one a day reads all of it in a month


@dataclass(frozen=True)
class Scrubbed:
    """The result of reading a share of one repository back."""

    repository: str
    share: str  # like 3/30
    good: bool
    message: str = ""


def scrub(session: Session, *, whole: bool) -> list[Scrubbed]:
    """Read the next share of each repository back, or (whole) all of it; return the results.

    Damage is in the result, and is not raised, so that the other repositories are read too. The daemon has a record of
    the last share, from which the next follows; no clock is used.
    """
    done = [Scrubbed("", "", good=False, message=error.message) for error in session.repositories.unusable()]
    for repository in session.repositories.usable():
        last = store.find(session.engine, ScrubRecord, repository.name)
        number = (last.number if last else 0) % SHARES + 1
        share = "1/1" if whole else f"{number}/{SHARES}"
        session.progress.step("scrub", f"reading {share} of {repository.name}")
        try:
            repository.check(share)
            result = Scrubbed(repository.name, share, good=True)
        except CheckFailed as error:
            result = Scrubbed(repository.name, share, good=False, message=error.message)
        except DarkpeakError as error:
            done.append(Scrubbed(repository.name, share, good=False, message=error.message))
            continue
        record = ScrubRecord(repository.name, now(), share, number, result.good, result.message)
        store.write(session.engine, record)
        done.append(result)
    return done
