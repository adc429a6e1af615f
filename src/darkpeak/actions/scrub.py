"""Read a share of each repository back, byte for byte: bits rot in silence, and only reading finds it."""

from dataclasses import dataclass

from darkpeak.actions.session import Session
from darkpeak.errors import CheckFailed, DarkpeakError
from darkpeak.evidence import store
from darkpeak.evidence.record import now
from darkpeak.evidence.scrubs import ScrubRecord

SHARES = 30  # of a repository: one a day reads all of it in a month


@dataclass(frozen=True)
class Scrubbed:
    """How one repository's share went."""

    repository: str
    share: str
    good: bool
    message: str = ""


def scrub(session: Session, *, whole: bool) -> list[Scrubbed]:
    """Read back the next share of each repository, or all of it.

    Damage stands in the result and is not raised: the other repositories are read as well. Which share is next is
    recorded on the daemon, and not reckoned from a date.
    """
    done = [Scrubbed("", "", good=False, message=error.message) for error in session.repositories.unusable()]
    for one in session.repositories.usable():
        last = store.find(session.engine, ScrubRecord, one.name)
        number = (last.number if last else 0) % SHARES + 1
        share = "1/1" if whole else f"{number}/{SHARES}"
        session.progress.step("scrub", f"reading {share} of {one.name}")
        try:
            one.check(share)
            result = Scrubbed(one.name, share, good=True)
        except CheckFailed as error:
            result = Scrubbed(one.name, share, good=False, message=error.message)
        except DarkpeakError as error:
            done.append(Scrubbed(one.name, share, good=False, message=error.message))
            continue
        record = ScrubRecord(one.name, now(), share, number, result.good, result.message)
        store.write(session.engine, record)
        done.append(result)
    return done
