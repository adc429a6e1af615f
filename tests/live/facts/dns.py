"""Names in the DNS: an admin gave one its own address; all others below the domain have the usual one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.commands import run
from tests.live.load import Load, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

PRINTER = "192.0.2.7 printer.localhost\n"


def write(collective: Collective) -> str:
    collective.execute("dns", "dnsmasq", "load", stdin=PRINTER)
    return PRINTER


def check(collective: Collective, written: str) -> None:
    assert written in listed(collective)
    assert ask("printer.localhost") == [written.split(maxsplit=1)[0]]
    assert ask("wiki.localhost") == ["127.0.0.1"]


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Add names of machines all the time, as an admin does."""

    def name(number: int) -> str:
        names = [f"machine{each}.localhost" for each in range(number + 1)]
        lines = "".join(f"192.0.2.8 {each}\n" for each in names)
        collective.execute("dns", "dnsmasq", "load", stdin=PRINTER + lines)
        return names[-1]

    with under(name) as load:
        yield load


def found(collective: Collective) -> set[str]:
    """Return the machines that have a name."""
    return {line.split()[1] for line in listed(collective).splitlines()}


def listed(collective: Collective) -> str:
    """Return the names with their own addresses, as the service stores them."""
    return collective.execute("dns", "dnsmasq", "cat", "/var/lib/names/hosts").stdout


def ask(name: str, *options: str) -> list[str]:
    """Return the addresses in the service's answer."""
    return run(["dig", "+short", "-p", "6050", "@127.0.0.1", *options, name], check=False).stdout.split()
