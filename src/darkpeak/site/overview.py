"""The pages for admins, in English as the tool: what is wrong, what helps, a line a service, a page a service. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from darkpeak.site.facts import Site
from darkpeak.site.pages import environment, style
from darkpeak.site.plots import Point, plot
from darkpeak.site.words import LANGUAGES

SOUND = frozenset({"healthy", "idea", "absent"})  # states in which nobody needs to look
FULL, SOON_DAYS, GIB = 0.9, 7, 1 << 30
WEEK_SECONDS, LEAST_DAYS = 7 * 86400, 2  # growth is known after some days


@dataclass(frozen=True)
class Use:
    """What a service used at one moment."""

    at: float  # seconds since 1970
    memory: int  # bytes
    processor: float  # cores
    data: int | None = None  # bytes in its newest snapshot


@dataclass(frozen=True)
class Need:
    """A requirement of a level: whether it is met, why, and what to do."""

    level: str
    what: str
    met: bool
    why: str
    next: str = ""


@dataclass(frozen=True)
class Past:
    """A deploy: when, by whom, from which commit, what it was, and how it ended."""

    when: str
    who: str
    commit: str
    what: str
    outcome: str


@dataclass(frozen=True)
class Row:
    """One service, as its admins see it; `saved` and `drilled` are words, as in `darkpeak status`."""

    service: str
    host: str
    claimed: str
    measured: str
    state: str  # empty if it is unknown
    admins: tuple[str, ...] = ()
    deployed: str = ""
    saved: str = ""
    drilled: str = ""
    late: tuple[str, ...] = ()  # `backup` and `drill`, if they are missing, failed or overdue
    data: int | None = None  # bytes in its newest snapshot
    security: int | None = None  # security updates that it lacks
    lacks: str = ""
    now: Use | None = None  # None if it does not run
    nights: tuple[Use, ...] = ()  # the oldest first
    needs: tuple[Need, ...] = ()
    deploys: tuple[Past, ...] = ()  # the newest first

    @property
    def path(self) -> str:
        """The file of its own page."""
        return f"services/{self.service}{f'@{self.host}' if self.host else ''}.html"

    @property
    def growth(self) -> float | None:
        """How many bytes its data grew a week, as the mean of the kept nights; None if that is not known."""
        known = [(use.at, use.data) for use in self.nights if use.data is not None]
        if not known or known[-1][0] - known[0][0] < LEAST_DAYS * 86400:
            return None
        (began, least), (ended, most) = known[0], known[-1]
        return (most - least) / (ended - began) * WEEK_SECONDS


@dataclass(frozen=True)
class Machine:
    """The machine of an engine, in bytes."""

    name: str
    disk_free: int
    disk_total: int
    memory_free: int
    memory_total: int = 0  # 0 if it is not known
    full: datetime | None = None  # when its disk is full at the rate of the last nights; None if it does not fill

    @property
    def used(self) -> float:
        """The share of its disk that is in use."""
        return 1 - self.disk_free / self.disk_total if self.disk_total else 0.0


@dataclass(frozen=True)
class Certificate:
    """A certificate of the router."""

    names: tuple[str, ...]
    until: str
    failed: str


@dataclass(frozen=True)
class Overview:
    """All that the page for admins shows."""

    site: Site
    rows: tuple[Row, ...]
    machines: tuple[Machine, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    nightly: str = ""  # when the nightly jobs last ran; empty if nothing is backed up
    nightly_late: bool = False


@dataclass(frozen=True)
class Trouble:
    """What is wrong, in a sentence, and the command that helps."""

    what: str
    command: str


def find_troubles(overview: Overview) -> Iterator[Trouble]:
    """Yield all that is wrong: first what members notice."""
    for why in overview.site.unknown:
        yield Trouble(f"An engine does not answer: {why}.", "darkpeak doctor")
    for row in overview.rows:
        if row.state and row.state not in SOUND:
            yield Trouble(f"{row.service} does not work: {row.state}.", f"darkpeak logs {row.service}")
    yield from _of_machines(overview)
    for row in overview.rows:
        yield from _of_proofs(row)


def _of_machines(overview: Overview) -> Iterator[Trouble]:
    for machine in overview.machines:
        where = f" of {machine.name}" if machine.name else ""
        if machine.used > FULL:
            yield Trouble(f"The disk{where} is {machine.used:.0%} full.", "darkpeak clean")
        elif machine.full and (machine.full - overview.site.at).days < SOON_DAYS:
            yield Trouble(f"The disk{where} will be full on {machine.full:%Y-%m-%d} at this rate.", "darkpeak clean")
    for one in overview.certificates:
        if one.failed:
            yield Trouble(f"The certificate of {one.names[0]} fails: {one.failed}.", "darkpeak certificates")
    if overview.nightly_late:
        yield Trouble(f"The nightly jobs: {overview.nightly}.", "darkpeak nightly")


def _of_proofs(row: Row) -> Iterator[Trouble]:
    if "backup" in row.late:
        yield Trouble(f"{row.service} is not backed up: {row.saved}.", f"darkpeak backup {row.service}")
    elif "drill" in row.late:
        yield Trouble(f"No restore of {row.service} is proved: {row.drilled}.", f"darkpeak drill {row.service}")
    if row.security:
        yield Trouble(f"{row.service} lacks security updates: {row.security}.", f"darkpeak updates {row.service}")


def make_overview(overview: Overview) -> dict[str, str]:
    """Return the files of the pages for admins, by their paths."""
    cards = {card.name: card for card in overview.site.services}
    pages = environment(LANGUAGES[0])
    values = {"overview": overview, "site": overview.site, "cards": cards, "gib": GIB, "plotted": _plotted}
    troubles = list(find_troubles(overview))
    found = {"style.css": style()}
    found["overview.html"] = pages.get_template("overview.html").render(up="", troubles=troubles, **values)
    page = pages.get_template("service.html")
    for row in overview.rows:
        own = _of_row(overview, row)
        found[row.path] = page.render(up="../", row=row, card=cards[row.service], troubles=own, **values)
    return found


def _of_row(overview: Overview, row: Row) -> Sequence[Trouble]:
    """Return what is wrong with one service."""
    one = Overview(replace(overview.site, unknown=()), (row,))
    return list(find_troubles(one))


def _plotted(row: Row, what: str, label: str) -> Markup:
    """Return one of a service's figures over the last nights as a plot; empty if there are too few."""
    values = ((use.at, getattr(use, what)) for use in row.nights)
    return plot([Point(at, value) for at, value in values if value is not None], label)
