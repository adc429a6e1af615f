"""The prober finds each outage behind the real router, and the tool shows what it found."""

from __future__ import annotations

import json
import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from darkpeak.router.files import render
from darkpeak.router.routes import Route, Table
from darkpeak.uptime.log import by_name, parse
from darkpeak.uptime.measure import measure
from lab.commands import wait_for
from services.router.prober.probe.ask import Ports
from services.router.prober.probe.clock import Clock
from services.router.prober.probe.rounds import Prober
from services.router.prober.probe.store import Store
from tests.live.routed import HTTP, HTTPS, SSH, Routed
from tests.live.unsteady import FAULTS, GOOD, Unsteady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.collectives import Collective

FIRST, NUMBER = 6911, 20  # services that fail, all at once
ROUND = 30
DAY_ROUNDS = 24 * 3600 // ROUND
BEGAN = 1_764_216_000


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Iterator[Routed]:
    """Yield a router."""
    collective.darkpeak("up", "router", timeout=600)
    yield Routed(collective)
    collective.darkpeak("down", "router", "--yes", timeout=120)


class Time:
    """A faked time, so that rounds need no half minute. The machine's clock can be set back in it."""

    def __init__(self) -> None:
        self.passed, self.wrong = 0.0, 0.0

    def wall(self) -> float:
        """Return what the machine's clock says."""
        return BEGAN + self.passed - self.wrong

    def boot(self) -> float:
        """Return the seconds since boot."""
        return self.passed


def test_each_outage_is_found_and_none_is_invented(
    request: pytest.FixtureRequest,
    routed: Routed,
    tmp_path: Path,
    campaign: Callable[..., int],
    say: Callable[[str], None],
) -> None:
    """Twenty services fail at once, each in its own way, ten times; then a day without any (in CI: a tenth)."""
    services = {f"s{port}": Unsteady(port, 3) for port in range(FIRST, FIRST + NUMBER)}
    for service in services.values():
        request.addfinalizer(service.close)
    table = Table(("localhost",), tuple(Route(name, service.port) for name, service in services.items()))
    routed.router.apply(table)
    for name, content in render(table).items():
        (tmp_path / name).write_bytes(content)
    chance, time, store = random.Random(1), Time(), Store(tmp_path)  # noqa: S311 (only to mix the faults)

    def begin() -> Prober:
        ports, clock = Ports(HTTP, HTTPS, SSH, patience=1), Clock(time.wall, time.boot, store.alive())
        return Prober(tmp_path, store, ports, clock, again=0.1)

    def rounds(prober: Prober, number: int) -> None:
        for _ in range(number):
            prober.round()
            time.passed += ROUND

    outages, prober, broken = campaign(10), begin(), dict[str, list[int]]()
    rounds(prober, 2)
    for _ in range(outages):
        faults = [FAULTS[number % len(FAULTS)] for number in range(NUMBER)]
        chance.shuffle(faults)
        for (name, service), fault in zip(services.items(), faults, strict=True):
            service.become(fault)
            broken.setdefault(name, []).append(store.alive())
        rounds(prober, 2)
        time.wrong += 3600  # the clock is set back, and the prober is killed
        prober = begin()
        for service in services.values():
            service.become(GOOD)
        rounds(prober, 3)
    rounds(prober, campaign(DAY_ROUNDS))  # nothing fails any more
    found = by_name(parse("\n".join(store.lines())))
    for name, times in broken.items():
        uptime = measure(found, [name], BEGAN, store.alive())
        starts = [outage.began for outage in uptime.outages]
        assert len(starts) == outages, (name, uptime.outages)
        late = [start - last for start, last in zip(starts, times, strict=True)]  # since the last round before it
        assert all(0 < seconds <= 2 * ROUND for seconds in late), (name, late)
    hours = time.passed / 3600
    say(f"{outages * NUMBER} outages of {NUMBER} services in {hours:.1f} hours: each found within two rounds, no other")


def test_the_tool_shows_what_the_prober_found(routed: Routed) -> None:
    """The prober's container asks each route; a killed service is down, and under announced maintenance it is not."""
    with closing(Unsteady(FIRST, 1)) as service:
        routed.router.apply(Table(("localhost",), (Route("wiki", FIRST),)))

        def events() -> list[str]:
            shown = routed.collective.compose("router", "exec", "-T", "prober", "show").stdout
            return [event.state for event in by_name(parse(shown)).get("wiki", ())]

        wait_for("the first answer", lambda: events() == ["up"], timeout=70)
        service.become("fails")
        wait_for("the outage", lambda: events() == ["up", "down"], timeout=70)
        shown = json.loads(routed.collective.darkpeak("uptime", "wiki", "--json").stdout)
        outage = shown[0]["outages"][0]
        assert (outage["cause"], outage["ended"]) == ("wiki: 500", None)
        assert "wiki: 500" in routed.collective.darkpeak("uptime", "wiki").stdout
        routed.collective.darkpeak("maintenance", "wiki", "on", "back at nine")
        wait_for("the maintenance", lambda: events()[-1] == "maintenance", timeout=70)
        routed.collective.darkpeak("maintenance", "wiki", "off")
