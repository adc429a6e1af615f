"""The pages in a real browser: by keyboard, on a phone, for a screen reader, and with hostile texts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from darkpeak.site.overview import make_overview
from darkpeak.site.pages import PAGES, make_pages
from darkpeak.site.words import LANGUAGES
from lab.commands import run
from lab.pages import a_hostile_overview, a_hostile_site, a_site, an_overview
from tests.live.facts import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Response

    from lab.collectives import Collective

BASE = "http://localhost:7080/"
UNKNOWN_TO_TIDY = 'proprietary attribute "aria-current"'
PHONE, DESK = 360, 1200  # pixels
SERVICE = "the page of a service"
ADMINS = ["overview.html", SERVICE]
ALL = [f"{folder}{page}" for folder in ("", *(f"{language}/" for language in LANGUAGES[1:])) for page in PAGES]


@pytest.fixture(scope="module")
def door(collective: Collective) -> Collective:
    """Return the collective with the router and the front door."""
    collective.darkpeak("up", "router", "home", timeout=900)
    return collective


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield Debian's chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield started
        started.close()


@dataclass(frozen=True)
class Shown:
    """What the front door shows in these tests; a real one never shows the pages for admins."""

    name: str  # the collective's
    files: dict[str, str]

    def path(self, page: str) -> str:
        """Return the path of a page; the page of a service has its name."""
        return next(path for path in self.files if path.startswith("services/")) if page == SERVICE else page

    def url(self, page: str) -> str:
        """Return the path of a page as a browser asks for it."""
        return quote(self.path(page))


@pytest.fixture(scope="module", params=["usual", "hostile"])
def shown(request: pytest.FixtureRequest, door: Collective) -> Shown:
    """Put pages into the front door."""
    hostile = request.param == "hostile"
    site = a_hostile_site() if hostile else a_site()
    overview = a_hostile_overview() if hostile else an_overview(site)
    made = Shown(site.name, make_pages(site) | make_overview(overview))
    home.load(door, made.files)
    return made


@contextmanager
def opened(browser: Browser, path: str, **options: Any) -> Iterator[Page]:
    """Yield a page in a new window, which must ask only the front door and have no error."""
    context = browser.new_context(**options)
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    answer: Response | None = page.goto(BASE + path)
    assert answer
    assert answer.status == 200
    yield page
    assert [url for url in asked if not url.startswith(BASE)] == []
    assert faults == []
    context.close()


def focused(page: Page) -> Iterator[str]:
    """Yield the target of each link in the order of the Tab key, and check that its focus is seen."""
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return
        seen = (
            "getComputedStyle(document.activeElement).outlineStyle + document.activeElement.getBoundingClientRect().x"
        )
        assert page.evaluate(seen).startswith(("solid", "auto"))
        target = page.evaluate("document.activeElement.getAttribute('href')")
        if target is not None:  # a table that scrolls has the focus too
            yield target


@pytest.mark.parametrize("path", [*ALL, *ADMINS])
@pytest.mark.parametrize(("width", "colours"), [(PHONE, "light"), (DESK, "dark")])
def test_a_page_fits_and_axe_finds_nothing(browser: Browser, shown: Shown, path: str, width: int, colours: str) -> None:
    with opened(browser, shown.url(path), viewport={"width": width, "height": 700}, color_scheme=colours) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.title().endswith(f"· {' '.join(shown.name.split())}")
        assert page.evaluate("document.scripts.length + document.images.length") == 0
        found = Axe().run(page).response["violations"]
        assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []


@pytest.mark.parametrize("path", [*ALL, *ADMINS])
def test_every_link_is_reached_by_keyboard(browser: Browser, shown: Shown, path: str) -> None:
    with opened(browser, shown.url(path)) as page:
        links = page.eval_on_selector_all("a", "links => links.map(link => link.getAttribute('href'))")
        assert links
        assert list(focused(page)) == links


@pytest.mark.parametrize("path", ALL)
def test_the_first_link_skips_the_menu(browser: Browser, shown: Shown, path: str) -> None:
    with opened(browser, shown.url(path)) as page:
        page.focus("a")
        box = page.locator(":focus").bounding_box()
        assert box
        assert box["x"] >= 0, "it is shown"
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")


def test_the_overview_leads_to_each_service_and_back(browser: Browser, shown: Shown) -> None:
    with opened(browser, "overview.html") as page:
        page.locator("tbody a").first.click()
        assert page.url == BASE + shown.url(SERVICE)
        page.locator("a").first.click()
        assert page.url == f"{BASE}overview.html"


@pytest.mark.parametrize("path", [*ALL, *ADMINS])
def test_a_page_is_valid_html(shown: Shown, path: str) -> None:
    checked = run(["tidy", "-quiet", "-errors", "-utf8"], stdin=shown.files[shown.path(path)], check=False)
    assert [line for line in checked.stderr.splitlines() if not line.endswith(UNKNOWN_TO_TIDY)] == []
