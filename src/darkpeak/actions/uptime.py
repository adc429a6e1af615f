"""How much of the time services answered: read from the log of the prober beside each engine's router."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.announcements import AnnouncementRecord, announced
from darkpeak.plan.observed import Observed, find_container
from darkpeak.uptime.log import Event, by_name, parse
from darkpeak.uptime.measure import DAY_SECONDS, ROUND_SECONDS, Outage, Uptime, measure
from darkpeak.uptime.names import names_of
from darkpeak.vocabulary import PROBER, ROUTER

PERIODS = (30, 90, 365)  # days
STALE_SECONDS = 300.0  # without a round: the prober hangs


@dataclass(frozen=True)
class Seen:
    """What the prober of one engine has seen until its last round, in seconds since 1970."""

    until: int
    events: Mapping[str, Sequence[Event]]
    announced: tuple[AnnouncementRecord, ...] = ()  # outages in their times are planned

    def of(self, target: Target, service: Service, days: int, now: datetime) -> Uptime | None:
        """Return the uptime of the last days; None if the prober never asked the service."""
        names = names_of(service, target.collective.domain)
        if not any(name in self.events for name in names):
            return None
        until = int(min(now.timestamp(), self.until + ROUND_SECONDS))  # a state lasts until the next round
        return measure(self.events, names, int(now.timestamp()) - days * DAY_SECONDS, until, self._planned(service))

    def days(self, target: Target, service: Service, number: int, now: datetime) -> tuple[Uptime, ...]:
        """Return the uptime of each of the last days, the oldest first; a day ends at this time of day."""
        names, until = names_of(service, target.collective.domain), int(now.timestamp())
        if not any(name in self.events for name in names):
            return ()
        last = int(min(until, self.until + ROUND_SECONDS))
        starts = (until - days * DAY_SECONDS for days in range(number, 0, -1))
        planned = self._planned(service)
        return tuple(measure(self.events, names, start, min(start + DAY_SECONDS, last), planned) for start in starts)

    def _planned(self, service: Service) -> tuple[tuple[int, int], ...]:
        return tuple(item.planned for item in self.announced if item.planned and item.concerns(service.name))


@dataclass(frozen=True)
class Period:
    """The uptime of the last days. `share` is from 0 to 1; `measured` is how many of the days the prober ran."""

    days: int
    measured: float
    share: float
    nines: int
    down: int  # seconds
    maintenance: int  # seconds
    outages: int


@dataclass(frozen=True)
class ServiceUptime:
    """The uptime of one service, and its outages of the longest period, the newest first."""

    service: str
    host: str
    until: str  # the last round, as a date; empty if there was none
    late: bool  # the prober runs, but its last round was too long ago
    periods: tuple[Period, ...]  # none if it is not measured
    outages: tuple[Outage, ...]


def read_seen(target: Target, observed: Observed) -> Seen | None:
    """Return what the prober of an engine has seen; None if none runs, or before its first round.

    Raises:
        SystemFailure: when its log cannot be read.
    """
    running = find_container(target.collective, observed, ROUTER, PROBER)
    if running is None:
        return None
    done = Inside(target.engine, running.id).run(["show"])
    if done.code:
        raise SystemFailure("the prober's log cannot be read", hint="see why: darkpeak logs router")
    until, _, log = done.stdout.decode(errors="replace").partition("\n")
    if not until.isdigit():
        return None
    return Seen(int(until), by_name(parse(log)), tuple(announced([store.read(target.engine)])))


def find_uptime(target: Target) -> Iterator[ServiceUptime]:
    """Yield the uptime of each service of the target.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    seen, now = read_seen(target, target.engine.observe()), datetime.now(UTC)
    until = datetime.fromtimestamp(seen.until, UTC).isoformat() if seen else ""
    late = seen is not None and abs(now.timestamp() - seen.until) > STALE_SECONDS
    for service in target.services:
        found = [(days, seen.of(target, service, days, now)) for days in PERIODS] if seen else []
        periods = tuple(_period(days, uptime) for days, uptime in found if uptime)
        outages = tuple(reversed(found[-1][1].outages)) if found and found[-1][1] else ()
        yield ServiceUptime(service.name, target.host, until, late, periods, outages)


def _period(days: int, uptime: Uptime) -> Period:
    counted = (uptime.share, uptime.nines, uptime.down, uptime.maintenance, len(uptime.outages))
    return Period(days, uptime.days, *counted)
