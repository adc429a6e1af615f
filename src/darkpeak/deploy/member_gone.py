"""What services do about a member who was removed, or who has a new password: their `scripts/member-gone`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from darkpeak.collective.model import Service
from darkpeak.engine.compose import Compose
from darkpeak.errors import DarkpeakError
from darkpeak.vocabulary import MEMBER_GONE

SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """What one service did; with `failed`, why it did not."""

    service: str
    done: str
    failed: bool = False


def end_sessions(compose: Compose, services: Sequence[Service], arguments: Sequence[str]) -> Iterator[Ended]:
    """Run the script of each deployed service that has one; yield what each did. No failure stops the others."""
    for service in services:
        if (service.folder / "scripts" / MEMBER_GONE).exists():
            try:
                yield from _end_in(compose, service, arguments)
            except DarkpeakError as error:
                yield Ended(service.name, error.message, failed=True)


def _end_in(compose: Compose, service: Service, arguments: Sequence[str]) -> Iterator[Ended]:
    """Yield what one service did; nothing if it is not deployed."""
    states = {container.state for container in compose.engine.observe().of(service.project)}
    if states and "running" not in states:
        yield Ended(service.name, "it is stopped", failed=True)
    elif states:
        ran = compose.script(service, MEMBER_GONE, *arguments, seconds=SECONDS)
        done = ran.last_line() if ran.code else "; ".join(ran.text.splitlines()) or "done"
        yield Ended(service.name, done, failed=bool(ran.code))
