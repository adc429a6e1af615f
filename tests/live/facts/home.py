"""The pages for members: an admin wrote them, and members read them by the bare domain's first page."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from darkpeak.actions.publish import pack
from lab.commands import run
from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PORTS = (6070, 6071)  # the engine chooses one
PAGES = {"index.html": "<!DOCTYPE html><title>The services</title>", "old.css": "", "de/index.html": "Dienste"}


def write(collective: Collective) -> str:
    load(collective, PAGES)
    return PAGES["index.html"]


def check(collective: Collective, written: str) -> None:
    address = f"http://{collective.compose('home', 'port', 'web', '8080').stdout.strip()}"
    shown = run(["curl", "--silent", "--show-error", "--include", f"{address}/"]).stdout
    assert written in shown
    assert "Content-Security-Policy: default-src 'none'; style-src 'self'" in shown
    assert run(["curl", "--silent", f"{address}/de/"]).stdout == PAGES["de/index.html"]


def load(collective: Collective, pages: dict[str, str]) -> None:
    """Put pages in place, as `darkpeak site` does."""
    argv = ["docker", "compose", "exec", "-T", "web", "load"]
    subprocess.run(
        argv,
        cwd=collective.folder("home"),
        env=collective.environment,
        input=pack(pages, datetime.now(UTC)),
        check=True,
        capture_output=True,
        timeout=60,
    )


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Renew the pages all the time; each time, there is one more."""
    pages = dict(PAGES)

    def more(number: int) -> str:
        pages[f"page{number}.html"] = f"page {number}"
        load(collective, pages)
        return f"page{number}.html"

    with under(more) as load_:
        yield load_


def found(collective: Collective) -> set[str]:
    """Return the pages that are there."""
    return set(collective.execute("home", "web", "ls", "/var/lib/home/pages").stdout.split())
