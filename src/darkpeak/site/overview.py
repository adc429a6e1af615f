"""The page for admins, in English as the tool: what is wrong, the command that helps, a line a service. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.site.facts import Site
from darkpeak.site.pages import environment, style
from darkpeak.site.words import LANGUAGES

SOUND = frozenset({"healthy", "idea", "absent"})  # states in which nobody needs to look
FULL, GIB = 0.9, 1 << 30


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


@dataclass(frozen=True)
class Machine:
    """The machine of an engine, in bytes."""

    name: str
    disk_free: int
    disk_total: int
    memory_free: int

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
        if machine.used > FULL:
            where = f" of {machine.name}" if machine.name else ""
            yield Trouble(f"The disk{where} is {machine.used:.0%} full.", "darkpeak clean")
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
    """Return the files of the page for admins, by their paths."""
    cards = {card.name: card for card in overview.site.services}
    page = environment(LANGUAGES[0]).get_template("overview.html")
    shown = page.render(
        overview=overview, site=overview.site, cards=cards, troubles=list(find_troubles(overview)), gib=GIB
    )
    return {"overview.html": shown, "style.css": style()}
