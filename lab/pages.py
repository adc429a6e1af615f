"""Pages for members with everything that they can show: for tests in a browser, for pictures, and for the bench."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from darkpeak.site.facts import DAYS, Announced, Card, Site
from darkpeak.site.overview import Certificate, Machine, Need, Overview, Past, Row, Use
from darkpeak.uptime.measure import DAY_SECONDS, Outage, Uptime

HOSTILE = "\"><script>document.title='broken'</script><img src=http://evil.example/x onerror=alert(1)>'&"
ABOUT = """We are a **hackspace** in the village hall, open on Tuesdays from seven.

| day | who has the key |
|---|---|
| Tuesday | Ada |
"""
SERVICES = (
    ("wiki", "Pages that all members write", "member", "live", "healthy", "user"),
    ("chat", "Talk to each other, in rooms and in private", "member", "beta", "unhealthy", "user"),
    ("git", "Repositories of our projects", "key", "alpha", "healthy", "user"),
    ("cloud", "Files of your own, on all your machines", "member", "idea", "idea", "user"),
    ("router", "Leads requests to the services", "", "live", "healthy", "infrastructure"),
    ("directory", "Who is a member", "", "live", "healthy", "infrastructure"),
)


def a_site(at: datetime | None = None) -> Site:
    """Return a collective with services in each state, outages and announcements."""
    moment = at or datetime.now(UTC)
    cards = tuple(_card(number, moment) for number in range(len(SERVICES)))
    night = moment.replace(hour=20, minute=0) + timedelta(days=2)
    news = (
        Announced("a1", "The wiki moves to a new server.", "wiki", moment, night, night + timedelta(hours=2)),
        Announced("b2", "The yearly meeting is on Friday: come and vote on our services.", "", moment, moment, None),
    )
    people = ("Ada Lovelace", "Grace Hopper")
    return Site("Dark Peak", "peak.test", moment, cards, people, ABOUT, announced=news)


def a_hostile_site(at: datetime | None = None) -> Site:
    """Return the same, with a hostile text everywhere that somebody else could have written."""
    site = a_site(at)
    text = f"# {HOSTILE}\n\n{HOSTILE} ![x](http://evil.example/y.png) [y](javascript:alert(1))"
    cards = (
        replace(site.services[0], name=HOSTILE, about=HOSTILE, addresses=(HOSTILE,), admins=(HOSTILE,), notice=HOSTILE),
    )
    news = (replace(site.announced[0], text=HOSTILE, service=HOSTILE),)
    return replace(
        site, name=HOSTILE, services=(*cards, *site.services[1:]), admins=(HOSTILE,), text=text, announced=news
    )


def an_overview(site: Site) -> Overview:
    """Return the overview of such a collective for its admins."""
    rows = tuple(_row(number, card, site.at) for number, card in enumerate(site.services))
    machine = Machine("", 9 << 30, 25 << 30, 1 << 30, 2 << 30, site.at + timedelta(days=40))
    return Overview(site, rows, (machine,), (Certificate(("*.peak.test",), "2026-12-24 03:17", ""),), "9 h ago")


def a_hostile_overview(at: datetime | None = None) -> Overview:
    """Return the same of one service, with a hostile text everywhere that somebody else could have written."""
    name = HOSTILE.replace("/", "")  # a folder's name has none
    site = a_hostile_site(at)
    site = replace(site, services=(replace(site.services[0], name=name),))
    overview = an_overview(site)
    needs = (Need("beta", HOSTILE, met=False, why=HOSTILE, next=HOSTILE),)
    past = (Past(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),)
    row = replace(overview.rows[0], state=HOSTILE, deployed=HOSTILE, saved=HOSTILE, needs=needs, deploys=past)
    return replace(overview, rows=(row,), certificates=(Certificate((HOSTILE,), "", HOSTILE),))


def _row(number: int, card: Card, at: datetime) -> Row:
    row = Row(card.name, "", card.claimed, card.level, card.state, card.admins, lacks="")
    if card.state == "idea":
        return row
    nights = tuple(_use(at - timedelta(days=60 - night), night, number) for night in range(60))
    drilled = "NEVER" if card.name == "git" else f"{card.name}-38 4 d ago, 12 s"
    needs = (
        Need("alpha", "sound files", met=True, why="no fault"),
        Need(
            "beta",
            "restore that works",
            card.name != "git",
            drilled,
            "darkpeak drill git" if card.name == "git" else "",
        ),
    )
    past = (
        Past("2026-06-12 19:40", "ada", "2f1c9ab", "up", "up"),
        Past("2026-06-12 19:21", "grace", "", "up", "web did not become healthy within 60 s"),
    )
    return replace(
        row,
        deployed="2026-06-12 19:40 by ada, 2f1c9ab: up",
        saved=f"{card.name}-41 9 h ago",
        drilled=drilled,
        late=("drill",) if card.name == "git" else (),
        data=41_300_000,
        security=int(card.name == "chat") * 2,
        lacks="for beta: restore that works" if card.name == "git" else "",
        now=_use(at, 60, number),
        nights=nights,
        needs=needs,
        deploys=past,
    )


def _use(at: datetime, night: int, number: int) -> Use:
    """Return what a service used in a night: more memory in some, and data that grows."""
    memory = (20 + 9 * number + 7 * (night * night % 11)) << 20
    return Use(at.timestamp(), memory, 0.004 * (1 + number + night * 7 % 5), 30_000_000 + night * 188_000)


def many(number: int, at: datetime | None = None) -> Site:
    """Return a collective with many services."""
    site = a_site(at)
    cards = (replace(site.services[each % len(SERVICES)], name=f"service{each}") for each in range(number))
    return replace(site, services=tuple(cards))


def _card(number: int, at: datetime) -> Card:
    name, about, login, level, state, kind = SERVICES[number]
    address = (f"https://{name}.peak.test/",) if kind == "user" else ()
    card = Card(name, about, address, login, level, level, ("Ada Lovelace", "Grace Hopper"), state, kind=kind)
    if level == "idea":
        return card
    began = int(at.timestamp())
    outages = [Outage(began - (7 + number * 9) * DAY_SECONDS, began - (7 + number * 9) * DAY_SECONDS + 600, 600, "503")]
    outages += [Outage(began - 900, None, 900, "503")] if state == "unhealthy" else []
    days = [_day(DAYS - day, number, state) for day in range(DAYS)]
    up, down = sum(day.up for day in days), sum(day.down for day in days)
    return replace(card, uptime=Uptime(up, down, 7200, tuple(outages)), days=tuple(days))


def _day(ago: int, number: int, state: str) -> Uptime:
    """Return one day, so many days ago: first nothing was measured, then outages, one of them long, and maintenance."""
    if ago > 70 + number:
        return Uptime()
    if ago == 30 + number:
        return Uptime(0, 0, DAY_SECONDS)
    if ago == 1 and state == "unhealthy":
        return Uptime(DAY_SECONDS - 900, 900)
    down = {7 + number * 9: 600, 50 - number: 40_000}.get(ago, 0)
    return Uptime(DAY_SECONDS - down, down)
