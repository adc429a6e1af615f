"""Uptime and outages from the prober's log: outages, maintenance, and times in which nothing is known."""

import random

import pytest

from darkpeak.cli.uptime import in_words
from darkpeak.uptime.log import by_name, parse
from darkpeak.uptime.measure import DAY_SECONDS, Outage, Uptime, measure, percent

DAY = DAY_SECONDS
NO_ROUTE = "the router has no route to it"


def measured(log: str, names: tuple[str, ...] = ("wiki",), since: int = 0, until: int = 1000) -> Uptime:
    text = "".join("\t".join(line.split(maxsplit=3)) + "\n" for line in log.splitlines() if line.strip())
    return measure(by_name(parse(text)), names, since, until)


@pytest.mark.parametrize(
    ("log", "up", "down", "maintenance", "outages"),
    [
        ("", 0, 0, 0, ()),
        ("100 wiki up", 900, 0, 0, ()),
        ("100 chat up", 0, 0, 0, ()),
        ("100 wiki up\n400 wiki down 503\n450 wiki up", 850, 50, 0, (Outage(400, 450, 50, "wiki: 503"),)),
        ("100 wiki down refused", 0, 900, 0, (Outage(100, None, 900, "wiki: refused"),)),
        ("100 wiki up\n400 wiki maintenance\n600 wiki up", 700, 0, 200, ()),
        ("100 wiki up\n400 wiki gone", 300, 600, 0, (Outage(400, None, 600, f"wiki: {NO_ROUTE}"),)),
        ("100 wiki up\n400 wiki gone\n600 wiki up", 700, 200, 0, (Outage(400, 600, 200, f"wiki: {NO_ROUTE}"),)),
        ("100 wiki up\n400 - off\n600 - on", 700, 0, 0, ()),
        ("100 wiki up\n400 - off\n600 - on\n600 wiki down 502", 300, 400, 0, (Outage(600, None, 400, "wiki: 502"),)),
        (
            "100 wiki up\n300 wiki down 503\n400 - off\n600 - on\n700 wiki up",
            500,
            200,
            0,
            (Outage(300, 700, 200, "wiki: 503"),),
        ),
        ("100 wiki up\nrubbish\n x y z\n-5 wiki down\n500 wiki asleep\n900 wiki", 900, 0, 0, ()),
        ("100 wiki up\n400 wiki down 503\n400 wiki up", 900, 0, 0, ()),
    ],
    ids=[
        *("empty", "up", "another", "an outage", "still down", "maintenance", "gone", "gone and back", "prober off"),
        *("down after a gap", "an outage around a gap", "damaged lines", "no time at all"),
    ],
)
def test_times_are_told_apart(log: str, up: int, down: int, maintenance: int, outages: tuple[Outage, ...]) -> None:
    assert measured(log) == Uptime(up, down, maintenance, outages)


@pytest.mark.parametrize(
    ("planned", "down", "maintenance", "outages"),
    [
        ((), 200, 0, (Outage(400, 600, 200, "wiki: 503"),)),
        (((300, 700),), 0, 200, ()),
        (((500, 700),), 100, 100, (Outage(400, 500, 100, "wiki: 503"),)),
        (((300, 500), (450, 550)), 50, 150, (Outage(550, 600, 50, "wiki: 503"),)),
        (((700, 900), (900, 300)), 200, 0, (Outage(400, 600, 200, "wiki: 503"),)),
    ],
    ids=["nothing", "all of it", "its end", "overlapping", "another time"],
)
def test_an_outage_in_the_time_of_announced_work_is_planned(
    planned: tuple[tuple[int, int], ...], down: int, maintenance: int, outages: tuple[Outage, ...]
) -> None:
    events = by_name(parse("0\twiki\tup\n400\twiki\tdown\t503\n600\twiki\tup\n"))
    assert measure(events, ["wiki"], 0, 1000, planned) == Uptime(800, down, maintenance, outages)


def test_a_service_is_down_while_one_of_its_routes_is() -> None:
    log = "0 wiki up\n0 tls wiki up\n100 wiki down 503\n200 chat down 500\n300 wiki up"
    text = log.replace("tls wiki", "tls-wiki")
    found = measured(text, ("wiki", "tls-wiki"))
    assert found == Uptime(800, 200, 0, (Outage(100, 300, 200, "wiki: 503"),))


def test_maintenance_of_one_route_is_that_of_the_service() -> None:
    log = "0 wiki up\n0 wiki:5222 up\n100 wiki maintenance\n150 wiki:5222 down closed\n300 wiki up\n400 wiki:5222 up"
    found = measured(log, ("wiki", "wiki:5222"))
    assert (found.up, found.down, found.maintenance) == (700, 100, 200)


@pytest.mark.parametrize(
    ("since", "until", "up", "down"), [(0, 250, 100, 50), (150, 1000, 750, 100), (220, 260, 0, 40)]
)
def test_only_the_time_between_two_moments_counts(since: int, until: int, up: int, down: int) -> None:
    found = measured("100 wiki up\n200 wiki down 503\n300 wiki up", since=since, until=until)
    assert (found.up, found.down) == (up, down)


@pytest.mark.parametrize(
    ("up", "down", "share", "nines"),
    [
        (0, 0, 0.0, 0),
        (0, 10_000, 0.0, 0),
        (299, 0, 1.0, 0),
        (300, 0, 1.0, 1),
        (3000, 0, 1.0, 2),
        (3_000_000, 0, 1.0, 5),
        (9000, 1000, 0.9, 1),
        (8999, 1001, 0.8999, 0),
        (9900, 100, 0.99, 2),
        (9899, 101, 0.9899, 1),
        (999_000, 1000, 0.999, 3),
        (9_999_999, 1, 1.0, 5),
    ],
)
def test_nines_are_never_rounded_up(up: int, down: int, share: float, nines: int) -> None:
    assert round(Uptime(up, down).share, 6) == share
    assert Uptime(up, down).nines == nines


def test_a_year_of_fifty_services_is_small() -> None:
    """Each service fails every second day; its log must stay below 20 MiB."""
    dice, lines = random.Random(7), []  # noqa: S311 (no secret)
    for number in range(50):
        lines.append(f"0\tservice-{number}\tup\n")
        for day in range(0, 365, 2):
            start = day * DAY + dice.randrange(DAY // 2)
            lines += [f"{start}\tservice-{number}\tdown\t503\n", f"{start + 600}\tservice-{number}\tup\n"]
    text = "".join(sorted(lines, key=lambda line: int(line.partition("\t")[0])))
    assert len(text) < 20 * 2**20
    events = by_name(parse(text))
    found = [measure(events, (f"service-{number}",), 0, 365 * DAY) for number in range(50)]
    assert {len(item.outages) for item in found} == {183}
    assert {item.down for item in found} == {183 * 600}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (40, "40 s"),
        (300, "5 min"),
        (310, "5 min 10 s"),
        (3605, "1 h"),
        (90000, "1 d 1 h"),
        (864000, "10 d"),
    ],
)
def test_a_duration_is_shown_with_two_units(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [(1.0, 3, "100.000%"), (0.999999, 3, "99.999%"), (0.29, 2, "29.00%"), (0.98999, 2, "98.99%"), (0.0, 2, "0.00%")],
)
def test_a_share_is_never_rounded_up(share: float, digits: int, words: str) -> None:
    assert percent(share, digits) == words


def test_maintenance_is_no_measured_time() -> None:
    assert Uptime(up=0, down=0, maintenance=30 * DAY).days == 0
