"""What each daemon lacks to run the collective well, and what to do."""

from collections.abc import Iterator
from dataclasses import replace

from darkpeak.collective.model import Collective
from darkpeak.engine.engine import Engine
from darkpeak.engine.facts import gather
from darkpeak.plan.doctor import Check, evaluate


def examine(host: str, engine: Engine, collective: Collective | None) -> Iterator[Check]:
    """Give every check of one daemon for a collective; without one, those that need none."""
    for check in evaluate(gather(engine, collective), collective):
        yield replace(check, host=host)
