"""Notices to people: once when something breaks, once when it is well again; and a sign of life for each good night."""

from collections.abc import Sequence
from contextlib import suppress

from darkpeak.actions.night import Line
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.evidence import records
from darkpeak.evidence.records import Record
from darkpeak.repository.key import Secret

NOTIFY, URLS, PING = "notify", "urls", "ping"
PING_SECONDS = 20


def make_notice(before: Record | None, lines: Sequence[Line]) -> tuple[str, str] | None:
    """Return the title and text to send, or None where nobody needs to hear: all is as it was told last time."""
    bad = sorted(line.about for line in lines if not line.good)
    known = before.said.split("; ") if before and before.said else []
    if bad == known:
        return None
    text = "\n".join(f"{line.about}: {line.said}" for line in lines if not line.good or line.about in known)
    return (f"look after: {', '.join(bad)}" if bad else f"well again: {', '.join(known)}"), text


def tell(engines: Sequence[Engine], collective: str, secret: Secret, lines: Sequence[Line]) -> str:
    """Send what is to be sent, and remember it on every daemon; return what was said.

    Where none answers, nothing is remembered: then it is told each night.

    Raises:
        SystemFailure: when a notice could not be sent; it counts as untold, and is tried again next time.
    """
    before = None
    for engine in reversed(engines):
        with suppress(SystemFailure):
            before = records.find(engine, records.NIGHT, collective)
    notice = make_notice(before, lines)
    own = secret.credentials.get(NOTIFY, {})
    if notice:
        _send(own.get(URLS, ""), f"{collective}: {notice[0]}", notice[1])
    bad = "; ".join(sorted(line.about for line in lines if not line.good))
    for engine in engines:
        with suppress(SystemFailure):
            records.write(engine, Record(records.NIGHT, collective, records.now(), "night", not bad, bad))
    if not bad and own.get(PING):
        _ping(own[PING].strip())
    return notice[0] if notice else ""


def _send(urls: str, title: str, text: str) -> None:
    import apprise

    wanted = urls.split()
    if not wanted:
        return
    messenger = apprise.Apprise()
    for number, url in enumerate(wanted, 1):
        if not messenger.add(url):
            hint = f"darkpeak key secret {NOTIFY} {URLS} takes one apprise URL a line"
            raise SystemFailure(f"notice address {number} is none that apprise knows", hint=hint)
    if not messenger.notify(title=title, body=text):
        raise SystemFailure("a notice could not be sent to everyone", hint="are the addresses right, and reachable?")


def _ping(url: str) -> None:
    """Tell whoever watches for silence that the night was good."""
    import requests

    try:
        requests.get(url, timeout=PING_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise SystemFailure(f"the ping address did not take it: {type(error).__name__}") from None
