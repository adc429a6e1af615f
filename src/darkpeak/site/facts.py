"""All that the pages show, as one value."""

from dataclasses import dataclass, replace
from datetime import datetime

from darkpeak.uptime.measure import Uptime

DAYS = 90  # as bars


@dataclass(frozen=True)
class Proofs:
    """What proves that a service's data is safe, in seconds since 1970; None for what failed or was never done."""

    saved: float | None = None  # its newest snapshot
    data: int | None = None  # bytes in that
    drilled: float | None = None
    security: int | None = None  # security updates that it lacked in the last night


@dataclass(frozen=True)
class Card:
    """One service, as its members see it."""

    name: str
    about: str
    addresses: tuple[str, ...]
    login: str  # member, key, or empty
    level: str  # that it has, as measured; the claimed one, if it was not measured
    claimed: str
    admins: tuple[str, ...]  # their full names
    state: str  # as in `status`; empty if it is unknown
    notice: str = ""  # of maintenance
    planned: bool = False  # there is announced work on it now
    kind: str = "user"
    uptime: Uptime | None = None  # of the last 90 days; None if it is not measured
    days: tuple[Uptime, ...] = ()  # of each of these days, the oldest first
    proofs: Proofs = Proofs()
    members: bool = False  # only members see it


@dataclass(frozen=True)
class Announced:
    """What admins announced to members."""

    id: str
    text: str
    service: str  # empty: it is about all services
    when: datetime  # it was announced
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Site:
    """The collective, its services, and the moment at which the pages are made."""

    name: str
    domain: str
    at: datetime
    services: tuple[Card, ...]
    admins: tuple[str, ...] = ()  # their full names
    text: str = ""  # the collective's own, in Markdown
    unknown: tuple[str, ...] = ()  # why nothing is known of some engine
    announced: tuple[Announced, ...] = ()  # what is not over, the earliest first
    login: bool = False  # the pages lead to the login page
    members: bool = False  # the pages are those that only members see

    def for_everybody(self) -> "Site":
        """Return it without what only members see."""
        hidden = {card.name for card in self.services if card.members}
        cards = tuple(card for card in self.services if not card.members)
        news = tuple(item for item in self.announced if item.service not in hidden)
        return replace(self, services=cards, announced=news, members=False)
