"""All that the pages show, as one value."""

from dataclasses import dataclass
from datetime import datetime

from darkpeak.uptime.measure import Uptime

DAYS = 90  # as bars


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
    notice: str = ""  # of announced maintenance
    kind: str = "user"
    uptime: Uptime | None = None  # of the last 90 days; None if it is not measured
    days: tuple[Uptime, ...] = ()  # of each of these days, the oldest first


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
