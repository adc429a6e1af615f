"""Make the files of the pages: HTML in each language, the style, and an Atom feed of outages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files
from math import floor

from babel.dates import format_date, format_time
from babel.numbers import format_percent
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.filters import do_filesizeformat
from markdown_it import MarkdownIt
from markupsafe import Markup

from darkpeak.site.bars import bars
from darkpeak.site.facts import Card, Site
from darkpeak.site.words import LANGUAGES, NAMES, translations
from darkpeak.uptime.measure import Outage

PAGES = ("index.html", "status.html")
OUTAGES_SHOWN, FEED_ENTRIES = 20, 50
OPENED_BY_BROWSERS = ("http://", "https://")


@dataclass(frozen=True)
class SeenOutage:
    """An outage, and the service that had it."""

    service: str
    outage: Outage

    @property
    def began(self) -> datetime:
        """When it began."""
        return datetime.fromtimestamp(self.outage.began, UTC)

    @property
    def changed(self) -> datetime:
        """When it ended; while it lasts, when it began."""
        return datetime.fromtimestamp(self.outage.ended or self.outage.began, UTC)


def make_pages(site: Site) -> dict[str, str]:
    """Return the content of each file, by its path."""
    found = {"style.css": style()}
    found["old.css"] = ""  # services/home writes into it when the pages are old
    for language in LANGUAGES:
        folder = "" if language == LANGUAGES[0] else f"{language}/"
        values = _values(site, language, folder)
        for page in PAGES:
            found[folder + page] = environment(language).get_template(page).render(page=page, **values)
    found["feed.xml"] = environment(LANGUAGES[0]).get_template("feed.xml").render(site=site, outages=_outages(site))
    return found


def _values(site: Site, language: str, folder: str) -> Mapping[str, object]:
    own = [card for card in site.services if card.kind == "user" and card.claimed != "idea"]
    return {
        "site": site,
        "language": language,
        "languages": [(key, NAMES[key], "" if key == LANGUAGES[0] else f"{key}/") for key in LANGUAGES],
        "up": "../" * folder.count("/"),
        "text": _own_text(site.text),
        "own": own,
        "planned": [card for card in site.services if card.claimed == "idea"],
        "running": [card for card in site.services if card.claimed != "idea"],
        "troubled": [card for card in site.services if card.claimed != "idea" and is_down(card)],
        "outages": list(_outages(site))[:OUTAGES_SHOWN],
        "measured": any(card.days for card in site.services),
    }


def is_down(card: Card) -> bool:
    """Return whether members cannot use a service now, though it should run."""
    return card.state not in {"", "healthy", "absent"} and not card.notice and not card.planned


def _outages(site: Site) -> Iterator[SeenOutage]:
    """Yield all outages, the newest first."""
    found = [SeenOutage(card.name, one) for card in site.services if card.uptime for one in card.uptime.outages]
    yield from sorted(found, key=lambda seen: seen.outage.began, reverse=True)[:FEED_ENTRIES]


def _own_text(markdown: str) -> Markup:
    """Return the collective's text as HTML, with its headings one level lower: the page has a title of its own.

    A picture becomes a link: it could be on another machine, which the page must not ask.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 (the parser lets no HTML through)


def _percent(share: float, language: str) -> str:
    """Return a share as a percentage, never rounded up, as the language writes it."""
    return format_percent(floor(share * 10_000) / 10_000, "#,##0.00 %", locale=language)


def _moment(at: datetime, language: str) -> str:
    return f"{format_date(at, 'long', locale=language)}, {format_time(at, 'HH:mm', locale=language)}"


def _growth(a_week: float) -> str:
    """Return how many bytes something grows or shrinks in a week, in words."""
    more = "+" if a_week > 0 else "\N{MINUS SIGN}"
    return f"{more}{do_filesizeformat(abs(a_week), binary=True)} a week"


def style() -> str:
    """Return the style of all pages."""
    return files(__package__).joinpath("templates", "style.css").read_text(encoding="utf-8")


@cache
def environment(language: str) -> Environment:
    """Return the templates, with the words of a language."""
    made = Environment(
        loader=PackageLoader("darkpeak.site"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters["percent"] = partial(_percent, language=language)
    made.filters["moment"] = partial(_moment, language=language)
    made.filters["link"] = lambda address: address.startswith(OPENED_BY_BROWSERS)
    made.filters["bars"] = bars
    made.filters["second"] = lambda at: f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
    made.filters["cores"] = lambda cores: f"{cores:.1%} of a core".replace("%", " %")
    made.filters["growth"] = _growth
    return made
