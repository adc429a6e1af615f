"""The pages for members in a real browser: by keyboard, on a phone, for a screen reader, and with hostile texts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from darkpeak.site.pages import PAGES, make_pages
from darkpeak.site.words import LANGUAGES
from lab.commands import run
from lab.pages import a_hostile_site, a_site
from tests.live.facts import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Response

    from darkpeak.site.facts import Site
    from lab.collectives import Collective

BASE = "http://localhost:7080/"
UNKNOWN_TO_TIDY = 'proprietary attribute "aria-current"'
PHONE, DESK = 360, 1200  # pixels
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


@pytest.fixture(scope="module", params=[a_site, a_hostile_site], ids=["usual", "hostile"])
def site(request: pytest.FixtureRequest, door: Collective) -> Site:
    """Return what the front door shows."""
    made: Site = request.param()
    home.load(door, make_pages(made))
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
        target = page.evaluate("document.activeElement.getAttribute('href')")
        if target is None:
            return
        seen = (
            "getComputedStyle(document.activeElement).outlineStyle + document.activeElement.getBoundingClientRect().x"
        )
        assert page.evaluate(seen).startswith(("solid", "auto"))
        yield target


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(("width", "colours"), [(PHONE, "light"), (DESK, "dark")])
def test_a_page_fits_and_axe_finds_nothing(browser: Browser, site: Site, path: str, width: int, colours: str) -> None:
    with opened(browser, path, viewport={"width": width, "height": 700}, color_scheme=colours) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.title().endswith(f"· {' '.join(site.name.split())}")
        assert page.evaluate("document.scripts.length + document.images.length") == 0
        found = Axe().run(page).response["violations"]
        assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []


@pytest.mark.parametrize("path", ALL)
def test_every_link_is_reached_by_keyboard(browser: Browser, site: Site, path: str) -> None:
    assert site.services
    with opened(browser, path) as page:
        links = page.eval_on_selector_all("a", "links => links.map(link => link.getAttribute('href'))")
        assert list(focused(page)) == links
        page.focus("a")
        box = page.locator(":focus").bounding_box()
        assert box
        assert box["x"] >= 0, "the link that skips the menu is shown"
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")


@pytest.mark.parametrize("path", ALL)
def test_a_page_is_valid_html(site: Site, path: str) -> None:
    checked = run(["tidy", "-quiet", "-errors", "-utf8"], stdin=make_pages(site)[path], check=False)
    assert [line for line in checked.stderr.splitlines() if not line.endswith(UNKNOWN_TO_TIDY)] == []
