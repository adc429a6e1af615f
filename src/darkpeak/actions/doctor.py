"""Check what a daemon and its machine lack, and what to do."""

from collections.abc import Iterator
from dataclasses import replace

from darkpeak.collective.model import Collective
from darkpeak.collective.stand_ins import find_stand_ins
from darkpeak.deploy import stand_ins
from darkpeak.engine.engine import Engine
from darkpeak.engine.facts import gather
from darkpeak.plan.doctor import Check, check_stand_ins, evaluate


def examine(host: str, engine: Engine, collective: Collective | None) -> Iterator[Check]:
    """Yield all checks of one daemon for a collective; without a collective, those that need none."""
    checks = evaluate(gather(engine, collective), collective)
    if collective and find_stand_ins(collective, collective.here) and not engine.failure:
        checks.append(check_stand_ins(stand_ins.find_faults(collective, engine)))
    for check in checks:
        yield replace(check, host=host)
