"""Notice that an engine stops to answer while something runs on it, such as a build that would wait for an hour."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from darkpeak.collective.uri import parse_uri
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.network import engine_answers

AGAIN = "what was done stays; run the same command again when it answers"
PAUSE_SECONDS = 10.0
SILENCES = 2  # one after the other; each waits up to 20 s


@contextmanager
def watched(engine: Engine) -> Iterator[None]:
    """While the body runs, ask the engine again and again; when it is silent, end what waits for it.

    What the body then does with the engine fails at once.
    """
    ended = Event()
    Thread(target=_watch, args=(engine, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _watch(engine: Engine, ended: Event) -> None:
    try:
        endpoint = engine.endpoint
    except SystemFailure:  # the body says so
        return
    uri = parse_uri(endpoint.uri)
    if uri is None:
        return
    at = Path(uri.path) if uri.scheme == "unix" else (uri.host.strip("[]"), uri.port or 0)
    silences = 0
    while silences < SILENCES:
        if ended.wait(PAUSE_SECONDS):
            return
        silences = 0 if engine_answers(at) else silences + 1
    if not ended.is_set():
        engine.failure = SystemFailure(f"the engine at {engine.name} does not answer any more", hint=AGAIN)
        endpoint.cut()
