"""Check what a daemon and its machine lack, and what to do."""

from collections.abc import Iterator
from dataclasses import replace

from darkpeak.collective.model import Collective
from darkpeak.engine.engine import Engine
from darkpeak.engine.facts import gather
from darkpeak.plan.doctor import Check, evaluate


def examine(host: str, engine: Engine, collective: Collective | None) -> Iterator[Check]:
    """Yield all checks of one daemon for a collective; without a collective, those that need none."""
    for check in evaluate(gather(engine, collective), collective):
        yield replace(check, host=host)
