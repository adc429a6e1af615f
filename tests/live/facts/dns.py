"""The names: one that an admin gave an address of its own, beside all the others of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.commands import run

if TYPE_CHECKING:
    from tests.live.collectives import Collective

PRINTER = "192.0.2.7 printer.localhost\n"


def write(collective: Collective) -> str:
    collective.execute("dns", "dnsmasq", "take", stdin=PRINTER)
    return PRINTER


def check(collective: Collective, written: str) -> None:
    assert written == collective.execute("dns", "dnsmasq", "cat", "/var/lib/names/hosts").stdout
    assert ask("printer.localhost") == [written.split(maxsplit=1)[0]]
    assert ask("wiki.localhost") == ["127.0.0.1"]


def ask(name: str, *options: str) -> list[str]:
    """Return the addresses that the service answers with."""
    return run(["dig", "+short", "-p", "6050", "@127.0.0.1", *options, name], check=False).stdout.split()
