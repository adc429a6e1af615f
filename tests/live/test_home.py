"""The front door: its pages answer at the bare domain, whatever else is stopped, and say so when they are old."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.commands import run

if TYPE_CHECKING:
    from lab.collectives import Collective

BARE = "http://localhost:7080"


@pytest.fixture(scope="module")
def door(collective: Collective) -> Collective:
    """Return the collective with the router, a service and the front door."""
    collective.darkpeak("up", "router", "dns", "home", timeout=900)
    return collective


def get(path: str, base: str = BARE) -> str:
    """Return the answer of the front door, with its headers."""
    return run(["curl", "--silent", "--show-error", "--include", base + path]).stdout


def test_the_pages_answer_at_the_bare_domain_while_other_services_are_stopped(door: Collective) -> None:
    for base in (BARE, "http://home.localhost:7080"):
        assert "<h1>The services of Dark Peak</h1>" in get("/", base), "`up` wrote the pages"
    assert "HTTP/1.1 404" in get("/nothing")
    assert "HTTP/1.1 403" in get("/.lock")
    door.darkpeak("stop", "dns")
    assert json.loads(door.darkpeak("site", "--json").stdout)["unknown"] == []
    shown = get("/status.html")
    assert "Content-Security-Policy: default-src 'none'; style-src 'self'" in shown
    assert "Not everything works: dns." in shown
    assert "<title>Status · Dark Peak</title>" in get("/de/status.html")
    assert "<feed" in get("/feed.xml")
    door.darkpeak("up", "dns")
    assert "HTTP/1.1 200" in get("/status.html")


def test_pages_say_that_they_are_old(door: Collective) -> None:
    door.darkpeak("site")
    door.execute("home", "web", "mark-old")
    assert "\r\n\r\n" in get("/old.css")
    assert ".old" not in get("/old.css")
    door.execute("home", "web", "touch", "-d", "27 hours ago", "/var/lib/home/pages/index.html")
    door.execute("home", "web", "mark-old")
    assert ".old { display: block; }\n.now { display: none; }" in get("/old.css")


def test_pages_that_are_damaged_change_nothing(door: Collective) -> None:
    before = door.execute("home", "web", "readlink", "/var/lib/home/pages").stdout
    for broken in ("", "no archive"):
        assert door.execute("home", "web", "load", stdin=broken, check=False).returncode == 1
    assert door.execute("home", "web", "readlink", "/var/lib/home/pages").stdout == before


def test_a_collective_without_the_front_door_is_told_how_to_get_it(door: Collective) -> None:
    door.darkpeak("stop", "home")
    refused = door.darkpeak("site", check=False)
    assert (refused.returncode, "darkpeak up home" in refused.stderr) == (2, True)
    door.darkpeak("up", "home")
