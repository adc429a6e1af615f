"""Notices to people: once when something breaks, once when it is well again; and a sign of life for each good night."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.evidence import store
from darkpeak.evidence.nights import NightRecord
from darkpeak.evidence.record import now

PING_SECONDS = 20


@dataclass(frozen=True)
class Line:
    """What a person reads of one service, repository or job after a night."""

    about: str
    good: bool
    message: str


@dataclass(frozen=True)
class Notice:
    """A message to people."""

    title: str
    text: str


def make_notice(before: NightRecord | None, lines: Sequence[Line]) -> Notice | None:
    """Return the notice to send, None where nothing has changed since the last one."""
    bad = tuple(sorted(line.about for line in lines if not line.good))
    known = before.attention if before else ()
    if bad == known:
        return None
    text = "\n".join(f"{line.about}: {line.message}" for line in lines if not line.good or line.about in known)
    title = f"needs attention: {', '.join(bad)}" if bad else f"well again: {', '.join(known)}"
    return Notice(title, text)


def tell(engines: Sequence[Engine], collective: str, urls: str, ping: str, lines: Sequence[Line]) -> str:
    """Send what is to be sent, and remember it on every daemon; return the notice's title, empty where none was sent.

    Where no daemon answers, nothing is remembered: then the notice is sent each night.

    Raises:
        SystemFailure: when a notice could not be sent; it counts as unsent, and is tried again next time.
    """
    before = None
    for engine in reversed(engines):
        with suppress(SystemFailure):
            before = store.find(engine, NightRecord, collective)
    notice = make_notice(before, lines)
    if notice:
        _send(urls, f"{collective}: {notice.title}", notice.text)
    attention = tuple(sorted(line.about for line in lines if not line.good))
    for engine in engines:
        with suppress(SystemFailure):
            store.write(engine, NightRecord(collective, now(), attention))
    if not attention and ping.strip():
        _ping(ping.strip())
    return notice.title if notice else ""


def _send(urls: str, title: str, text: str) -> None:
    import apprise

    wanted = urls.split()
    if not wanted:
        return
    messenger = apprise.Apprise()
    for number, url in enumerate(wanted, 1):
        if not messenger.add(url):
            hint = "darkpeak key secret notify urls takes one apprise URL a line"
            raise SystemFailure(f"notice address {number} is not one that apprise knows", hint=hint)
    if not messenger.notify(title=title, body=text):
        raise SystemFailure("a notice could not be sent to everyone", hint="are the addresses right, and reachable?")


def _ping(url: str) -> None:
    """Show a sign of life to whoever watches for silence."""
    import requests

    try:
        requests.get(url, timeout=PING_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise SystemFailure(f"the ping address did not take it: {type(error).__name__}") from error
