"""What was forgotten of a member, and what is left in backups and volumes, as values and as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from darkpeak.collective.settings import Keep
from darkpeak.deploy.member_gone import Ended
from darkpeak.helper.search import Found
from darkpeak.result import display

SHOWN = 8  # places of a volume in the text; --json has all
WEEK, MONTH = 7, 31  # days


@dataclass(frozen=True)
class Backups:
    """Backups that still have the member's data: the newest snapshot of each service, where, and until which day."""

    newest: tuple[str, ...]
    repositories: tuple[str, ...]
    until: str


@dataclass(frozen=True)
class Forgotten:
    """What was done about a member, or what would be done."""

    uid: str
    services: tuple[Ended, ...]
    without: tuple[str, ...]  # services that use the directory, and have no script
    backups: Backups
    texts: tuple[str, ...]
    volumes: int
    found: tuple[Found, ...]

    @property
    def failed(self) -> tuple[Ended, ...]:
        """The services that did not do it."""
        return tuple(item for item in self.services if item.failed)

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield from (f"{item.service}: {item.done}" for item in self.services if not item.failed)
        yield from self.without
        yield from _backup_lines(self.uid, self.backups)
        yield from _found_lines(self.texts, self.volumes, self.found)


def kept_until(keep: Keep, today: date) -> str:
    """Return the day until which a snapshot of today can be kept, if backups go on as planned; empty if unknown."""
    days = max(keep.daily, keep.weekly * WEEK, keep.monthly * MONTH)
    return (today + timedelta(days=days)).isoformat() if days else ""


def _backup_lines(uid: str, backups: Backups) -> Iterator[str]:
    if not backups.newest:
        yield "backups: none that are known here"
        return
    until = f"until about {backups.until}, if backups go on" if backups.until else "until three newer ones exist"
    yield f"backups still have it: {', '.join(backups.newest)}, and older ones, in {', '.join(backups.repositories)}"
    yield f"  {until}; after a restore of one of them: darkpeak member forget {uid}"


def _found_lines(texts: Sequence[str], volumes: int, found: Sequence[Found]) -> Iterator[str]:
    yield f"searched {volumes} volumes and all logs for: {_joined(texts)}"
    if not any(item.texts for item in found):
        yield "  nothing was found"
    yield from _by_volume("still found in", [item for item in found if item.texts])
    yield from _by_volume("could not be read in", [item for item in found if not item.texts])


def _by_volume(what: str, found: Sequence[Found]) -> Iterator[str]:
    for where in dict.fromkeys(item.where for item in found):
        places = [item for item in found if item.where == where]
        yield f"  {what} {display(where)}" + (":" if places[0].place else f" ({_joined(places[0].texts)})")
        for item in places[:SHOWN] if places[0].place else ():
            yield f"    {display(item.place)}" + (f" ({_joined(item.texts)})" if item.texts else "")
        if len(places) > SHOWN:
            yield f"    and {len(places) - SHOWN} more; for all: --json"


def _joined(texts: Sequence[str]) -> str:
    return ", ".join(map(display, texts))
