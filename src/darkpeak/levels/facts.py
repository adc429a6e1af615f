"""All that decides a service's level, as values: what its files say, what runs, and the evidence. Pure."""

from dataclasses import dataclass
from datetime import datetime

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.evidence.record import Records
from darkpeak.uptime.measure import Uptime
from darkpeak.vocabulary import ROUTER


@dataclass(frozen=True)
class Facts:
    """What is known about one service at one moment."""

    collective: Collective
    service: Service
    now: datetime
    records: Records
    host: str = ""  # of [hosts]; empty for the default daemon
    faults: tuple[Finding, ...] = ()  # in its own files; each stops a deploy of it
    openers: tuple[str, ...] = ()  # the admins who can open the backup key
    night: bool = False  # whether the nightly jobs are running
    unknown: str = ""  # why nothing is known of what runs; empty if it is known
    state: str = ""  # as in `status`
    drift: tuple[str, ...] = ()  # how what runs differs from the files, in words
    commit: str = ""  # of its folder, with a + if files there differ from it; empty outside git
    uptime: Uptime | None = None  # of the last 90 days; None if it is not measured
    certificates: tuple[str, ...] = ()  # what is wrong with the certificates of its names

    @property
    def infrastructure(self) -> tuple[str, ...]:
        """The names of the infrastructure services that it depends on; the router is one, if it has routes."""
        named = {*self.collective.depends_on(self.service), *([ROUTER] if self.service.routes else [])}
        kinds = {item.name: item.kind for item in self.collective.services}
        return tuple(sorted(name for name in named - {self.service.name} if kinds.get(name) == "infrastructure"))
