"""Notices to people: one when something fails, one when all is well again; and a ping after each good night."""

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
    """The result of one service, repository or job after a night, for people."""

    about: str
    good: bool
    message: str


@dataclass(frozen=True)
class Notice:
    """A message to people."""

    title: str
    text: str


def make_notice(before: NightRecord | None, lines: Sequence[Line]) -> Notice | None:
    """Return the notice to send, or None if nothing has changed since the last one."""
    bad = tuple(sorted(line.about for line in lines if not line.good))
    known = before.attention if before else ()
    if bad == known:
        return None
    told = [f"{line.about}: {line.message}" for line in lines if not line.good or line.about in known]
    silent = {*known} - {line.about for line in lines}  # such as a host: it has a line only while it does not answer
    text = "\n".join([*told, *(f"{about}: well again" for about in sorted(silent))])
    title = f"needs attention: {', '.join(bad)}" if bad else f"all is well again: {', '.join(known)}"
    return Notice(title, text)


def notify(engines: Sequence[Engine], collective: str, urls: str, ping: str, lines: Sequence[Line]) -> str:
    """Send the notice and the ping, and record the night on every daemon; return the notice's title, empty if none.

    If no daemon answers, nothing is recorded: then the notice is sent each night.

    Raises:
        SystemFailure: when the notice or the ping could not be sent; the next night tries again.
    """
    known = list[NightRecord]()
    for engine in engines:
        with suppress(SystemFailure):
            found = store.find(engine, NightRecord, collective)
            known += [found] if found else []
    # An engine that was dead in the last night has only an older record.
    before = max(known, key=lambda record: record.when, default=None)
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
            hint = "write one apprise URL per line: darkpeak key secret notify urls"
            raise SystemFailure(f"address {number} for notices is not a URL that apprise knows", hint=hint)
    if not messenger.notify(title=title, body=text):
        raise SystemFailure(
            "a notice could not be sent to everyone",
            hint="check the addresses, then set them again: darkpeak key secret notify urls",
        )


def _ping(url: str) -> None:
    """Request a URL, so that a service that watches it can report a missing ping."""
    import requests

    try:
        requests.get(url, timeout=PING_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise SystemFailure(f"the address for the ping does not answer: {type(error).__name__}") from error
