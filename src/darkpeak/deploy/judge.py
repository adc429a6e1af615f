"""What the rules find in the files of services: in each alone, and in all together."""

from collections.abc import Iterable, Sequence

from darkpeak import lint
from darkpeak.collective.ignored import Ignore
from darkpeak.collective.model import Collective, Finding
from darkpeak.collective.read import Reading
from darkpeak.deploy.examine import Examined, Judged
from darkpeak.deploy.hidden import find_hidden, find_missing, find_removed
from darkpeak.lint.ignores import not_ignored, read_ignores


def judge_service(reading: Reading) -> Examined:
    """Return what the rules find in the files of a service that was read."""
    service = reading.service
    if service is None:
        return Examined(None, reading.findings)
    ignores = tuple(read_ignores(service))
    if not reading.answer:
        return Examined(service, (*reading.findings, *lint.check_service(service)), None, ignores)
    removed = find_removed(service, reading.answer)
    own = (item for item in lint.check_service(service, whole=False) if item not in removed)
    found = (*own, *find_missing(service, reading.answer))
    hidden = find_hidden(service, reading.answer, found)
    return Examined(service, (*reading.findings, *found), tuple(hidden), ignores)


def judge_together(collective: Collective, own: Iterable[Finding], ignores: Sequence[Ignore]) -> Judged:
    """Return the findings of all rules, with those that were found in reading the files and in each service alone."""
    whole = {*own, *lint.check_together(collective)}
    found = not_ignored(whole, ignores, lint.RULES)
    return Judged(tuple(found), tuple(sorted(whole)), tuple(item for item in found if lint.stops(item)))
