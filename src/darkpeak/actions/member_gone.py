"""End a member's sessions in all services, after the member was removed or has a new password."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkpeak.actions.target import Target
from darkpeak.collective.model import Service
from darkpeak.errors import DarkpeakError
from darkpeak.plan.observed import Observed
from darkpeak.vocabulary import MEMBER_GONE

SECONDS = 120.0
STAYS = "passwd"  # the script's second argument: the member stays, and has a new password


@dataclass(frozen=True)
class Ended:
    """What one service did about a member who is gone; with `failed`, what it did not do."""

    service: str
    done: str
    failed: bool = False


def end_sessions(targets: Sequence[Target], uid: str, *, stays: bool) -> list[Ended]:
    """Run `scripts/member-gone` of each service that has one and is deployed; return what each did, in order.

    With `stays`, the member only has a new password: sessions end, and what is theirs stays, such as ssh keys.
    """
    return [ended for target in targets for ended in _on(target, uid, stays=stays)]


def _on(target: Target, uid: str, *, stays: bool) -> list[Ended]:
    services = [item for item in target.running if (item.folder / "scripts" / MEMBER_GONE).exists()]
    if not services:
        return []
    try:
        observed = target.engine.observe()
    except DarkpeakError as error:
        return [Ended(service.name, error.message, failed=True) for service in services]
    deployed = [service for service in services if observed.of(service.project)]
    return [_in(target, observed, service, uid, stays=stays) for service in deployed]


def _in(target: Target, observed: Observed, service: Service, uid: str, *, stays: bool) -> Ended:
    if not any(item.state == "running" for item in observed.of(service.project)):
        return Ended(service.name, "it is stopped", failed=True)
    try:
        ran = target.compose.script(service, MEMBER_GONE, uid, *([STAYS] if stays else []), seconds=SECONDS)
    except DarkpeakError as error:
        return Ended(service.name, error.message, failed=True)
    if ran.code:
        return Ended(service.name, ran.last_line(), failed=True)
    return Ended(service.name, "; ".join(ran.text.split("\n")[:-1]) or "done")
