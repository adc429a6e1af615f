"""The pages: what they show, in each language; hostile texts; and that every link leads somewhere."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from darkpeak.site.bars import bars, kind_of
from darkpeak.site.facts import Announced, Card, Site
from darkpeak.site.pages import make_pages
from darkpeak.site.words import LANGUAGES
from darkpeak.uptime.measure import DAY_SECONDS, Outage, Uptime

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
LATE = int(AT.timestamp()) - 3600
VOID = {"meta", "link", "rect"}
WIKI = Card(
    "wiki",
    "Pages that all members write",
    ("https://wiki.peak.test/",),
    "member",
    "live",
    "live",
    ("Ada Lovelace",),
    "healthy",
    uptime=Uptime(40 * DAY_SECONDS - 90, 90, outages=(Outage(LATE, LATE + 90, 90, "wiki: 503"),)),
    days=(Uptime(),) * 50 + (Uptime(DAY_SECONDS),) * 39 + (Uptime(DAY_SECONDS - 90, 90),),
)
SITE = Site("Dark Peak", "peak.test", AT, (WIKI,), ("Ada Lovelace",), "# We\n\nA **hackspace**.")


def page(name: str, *cards: Card, site: Site = SITE) -> str:
    """Return the text of a page with these services, its spaces as one."""
    return " ".join(make_pages(replace(site, services=cards or site.services))[name].split())


def test_the_front_page_says_what_a_service_is_for_and_how_to_use_it() -> None:
    shown = page("index.html")
    for said in (
        "<h1>The services of Dark Peak</h1>",
        "<h2>We</h2> <p>A <strong>hackspace</strong>.</p>",
        "<p>Pages that all members write</p>",
        '<a href="https://wiki.peak.test/">https://wiki.peak.test/</a>',
        "with your member name and password",
        "You can rely on it.",
        "<dd>Ada Lovelace</dd>",
        "30 June 2026, 12:00 UTC",
    ):
        assert said.replace("30 June 2026", "June 30, 2026") in shown


def test_the_front_page_in_german() -> None:
    shown = page("de/index.html")
    assert '<html lang="de">' in shown
    assert "<h1>Die Dienste von Dark Peak</h1>" in shown
    assert "30. Juni 2026, 12:00 UTC" in shown


@pytest.mark.parametrize(
    ("changes", "said", "summary"),
    [
        ({}, "works", "Everything works."),
        ({"state": "unhealthy"}, "does not work", "Not everything works: wiki."),
        ({"state": "unreachable"}, "does not work", "Not everything works: wiki."),
        ({"state": "unhealthy", "notice": "back at nine"}, "under maintenance", "Everything works."),
        ({"state": "stopped"}, "off", "Not everything works: wiki."),
        ({"state": "absent"}, "off", "Everything works."),
        ({"state": ""}, "not known", "Everything works."),
    ],
)
def test_the_status_page_says_what_works_now(changes: dict[str, str], said: str, summary: str) -> None:
    shown = page("status.html", replace(WIKI, **changes))  # type: ignore[arg-type] # any field
    assert f">{said}</span>" in shown
    assert f'<p class="now summary"> {summary}</p>' in shown
    assert changes.get("notice", "") in shown


def test_nothing_is_claimed_of_an_engine_that_does_not_answer() -> None:
    shown = page("status.html", replace(WIKI, state=""), site=replace(SITE, unknown=("no engine",)))
    assert '<p class="now summary"> Of some services nothing is known now.</p>' in shown
    assert "no engine" not in shown, "addresses of machines are not for everybody"


def test_the_last_days_are_shown_as_bars_and_in_words() -> None:
    shown = page("status.html")
    assert 'role="img" aria-label="1 of the last 90 days had an outage"' in shown
    assert "It answered 99.99 % of the time, in 40 measured days of the last 90." in shown
    assert "wiki: June 30, 2026, 11:00 UTC, 90 seconds" in shown


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (Uptime(), "unknown"),
        (Uptime(10), "up"),
        (Uptime(0, 0, 5), "maintenance"),
        (Uptime(9999, 1), "short"),
        (Uptime(50, 50), "down"),
        (Uptime(0, 5), "down"),
    ],
)
def test_a_day_has_one_colour(day: Uptime, kind: str) -> None:
    assert kind_of(day) == kind
    assert f'<rect class="{kind}"' in bars([day], "x")


def test_a_service_that_was_measured_for_less_than_a_day_shows_no_share() -> None:
    shown = page("status.html", replace(WIKI, uptime=Uptime(3600), days=(Uptime(3600),)))
    assert "has not been measured for a day yet" in shown
    assert "100.00" not in shown


def test_ideas_are_planned_and_infrastructure_is_only_in_the_status() -> None:
    idea, router = (
        Card("cloud", "Files", (), "", "idea", "idea", (), ""),
        replace(WIKI, name="router", kind="infrastructure"),
    )
    shown = page("index.html", WIKI, idea, router)
    assert "<li>cloud: Files</li>" in shown
    assert "router" not in shown
    assert "<h2>router" in page("status.html", WIKI, idea, router)
    assert "cloud" not in page("status.html", WIKI, idea, router)


def test_what_is_announced_stands_on_both_pages_and_in_the_feed() -> None:
    until = AT + timedelta(hours=2)
    news = (
        Announced("a1", "We move the wiki", "wiki", AT, AT, until),
        Announced("b2", "Cake on Friday", "", AT, AT, None),
    )
    site = replace(SITE, announced=news)
    for name in ("index.html", "status.html"):
        shown = page(name, site=site)
        assert "<strong>wiki:</strong> We move the wiki" in shown
        assert "From June 30, 2026, 12:00 UTC until June 30, 2026, 14:00 UTC" in shown
        assert "<li>Cake on Friday </li>" in shown
    entries = ET.fromstring(make_pages(site)["feed.xml"]).findall("{*}entry/{*}title")  # noqa: S314 (our own)
    assert [entry.text for entry in entries] == ["wiki: We move the wiki", "Cake on Friday", "wiki did not answer"]
    assert "Announced" not in page("index.html")


def test_what_only_members_see_is_on_no_page_for_others() -> None:
    hidden = replace(WIKI, name="diary", about="Only ours", members=True)
    news = (Announced("a1", "The diary moves", "diary", AT, AT, None), Announced("b2", "Cake", "", AT, AT, None))
    site = replace(SITE, services=(WIKI, hidden), announced=news)
    for name, shown in make_pages(site.for_everybody()).items():
        assert "diary" not in shown, name
        assert "Only ours" not in shown, name
    inside = make_pages(replace(site, members=True))
    assert "<h2>diary</h2>" in inside["index.html"]
    assert "<h2>diary" in inside["status.html"]
    assert "diary: The diary moves" in inside["feed.xml"]


@pytest.mark.parametrize(
    ("changes", "link"),
    [
        ({}, ""),
        ({"login": True}, '<a href="/.account/login">Log in for all services</a>'),
        ({"login": True, "members": True}, '<a href="/.account/leave">Log out</a>'),
    ],
)
def test_the_pages_lead_to_the_login_page_and_out_again(changes: dict[str, bool], link: str) -> None:
    for page_of in ("index.html", "status.html", "de/index.html"):
        shown = make_pages(replace(SITE, **changes))[page_of]  # type: ignore[arg-type] # two fields
        assert shown.count("/.account/") == len(changes and [link])
        assert link in shown or page_of.startswith("de")


@pytest.mark.parametrize(("state", "said"), [("healthy", "works"), ("stopped", "under maintenance"), ("", "not known")])
def test_planned_work_is_no_trouble(state: str, said: str) -> None:
    shown = page("status.html", replace(WIKI, state=state, planned=True))
    assert f">{said}</span>" in shown
    assert "Everything works." in shown


HOSTILE = "\"><script>alert(1)</script>'&<img src=x onerror=y>{{ 1234*5 }}"


def test_hostile_texts_stay_texts() -> None:
    card = replace(
        WIKI,
        name=HOSTILE,
        about=HOSTILE,
        addresses=("javascript:alert(1)", HOSTILE),
        admins=(HOSTILE,),
        notice=HOSTILE,
        uptime=Uptime(DAY_SECONDS, 5, outages=(Outage(LATE, None, 5, HOSTILE),)),
    )
    text = f"{HOSTILE}\n\n[x](javascript:alert(1)) <b onclick=x>y</b> ![z](https://evil.example/z.png)"
    news = (Announced("a1", HOSTILE, HOSTILE, AT, AT, None),)
    site = Site(HOSTILE, "peak.test", AT, (card,), (HOSTILE,), text, announced=news)
    for name, content in make_pages(site).items():
        assert "<script" not in content
        assert "<img src=x" not in content
        assert "<b onclick" not in content
        assert 'href="javascript' not in content
        assert "6170" not in content
        if name.endswith(".xml"):
            ET.fromstring(content)  # noqa: S314 (our own)


class Reader(HTMLParser):
    """Reads a page: its links, ids and headings; fails if tags are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what was opened."""
        self.links += [str(value) for name, value in attrs if name == "href"]
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        assert "style" not in dict(attrs), "the policy forbids it"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize(
    "services", [(WIKI,), (), (replace(WIKI, notice="soon"), replace(WIKI, name="b", level="beta"))]
)
def test_every_page_is_whole_and_every_link_leads_somewhere(services: tuple[Card, ...]) -> None:
    made = make_pages(replace(SITE, services=services))
    for name, content in made.items():
        if not name.endswith(".html"):
            continue
        reader = Reader()
        reader.feed(content)
        assert reader.open == []
        assert reader.levels[0] == 1
        assert reader.levels.count(1) == 1
        folder = name.rpartition("/")[0]
        for link in reader.links:
            if not link.startswith(("https:", "#")):
                assert resolve(folder, link) in made, (name, link)


def resolve(folder: str, link: str) -> str:
    if link.startswith("../"):
        return link.removeprefix("../")
    return f"{folder}/{link}" if folder else link


def test_the_feed_has_each_outage_once() -> None:
    feed = ET.fromstring(make_pages(SITE)["feed.xml"])  # noqa: S314 (our own)
    titles = [item.text for item in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert titles == ["Outages of Dark Peak", "wiki did not answer"]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_each_language_has_all_words(language: str) -> None:
    package = files("darkpeak.site")
    with package.joinpath("locale", f"{language}.po").open("rb") as file:
        known = {message.id: message for message in read_po(file) if message.id}
    wanted = set()
    for template in package.joinpath("templates").iterdir():
        if template.name.endswith(".html"):
            with template.open("rb") as file:
                wanted |= {found[1] for found in extract("jinja2.ext:babel_extract", file)}
    assert set(known) == wanted
    for said in known.values():
        for text in [said.string] if isinstance(said.string, str) else list(said.string or ("",)):
            assert text
            assert names_in(text) == names_in(said.id if isinstance(said.id, str) else said.id[0])


def names_in(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s", text))
