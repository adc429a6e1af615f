"""What services do about a member: their optional scripts, such as `scripts/member-gone` and `scripts/member-key`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from darkpeak.collective.model import Collective, Service
from darkpeak.engine.compose import Compose
from darkpeak.errors import DarkpeakError
from darkpeak.result import display
from darkpeak.vocabulary import DIRECTORY, EXPORT_MEMBER, FORGET_MEMBER

SECONDS = 120.0
LONG = {EXPORT_MEMBER: 3600.0, FORGET_MEMBER: 3600.0}  # seconds: they read or write all data of a service


@dataclass(frozen=True)
class Ended:
    """What one service did about a member; with `failed`, why it did not."""

    service: str
    done: str
    failed: bool = False


def run_script(
    compose: Compose, services: Sequence[Service], script: str, arguments: Sequence[str], stdin: bytes = b""
) -> Iterator[Ended]:
    """Run a script of each deployed service that has it; yield what each did. No failure stops the others."""
    for service in services:
        if (service.folder / "scripts" / script).exists():
            try:
                yield from _run_in(compose, service, script, arguments, stdin)
            except DarkpeakError as error:
                yield Ended(service.name, error.message, failed=True)


def find_missing(collective: Collective, service: Service, script: str) -> str:
    """Return whom to ask about a service that uses the directory and does not have this script; else nothing."""
    if DIRECTORY not in collective.depends_on(service) or (service.folder / "scripts" / script).exists():
        return ""
    return f"it has no scripts/{script}: ask its admins ({', '.join(service.admins) or 'there are none'})"


def _run_in(compose: Compose, service: Service, script: str, arguments: Sequence[str], stdin: bytes) -> Iterator[Ended]:
    """Yield what one service did; nothing if it is not deployed."""
    states = {container.state for container in compose.engine.observe().of(service.project)}
    if states and "running" not in states:
        yield Ended(service.name, "it is stopped", failed=True)
    elif states:
        ran = compose.script(service, script, *arguments, seconds=LONG.get(script, SECONDS), stdin=stdin)
        done = ran.last_line() if ran.code else "; ".join(ran.text.splitlines()) or "done"
        yield Ended(service.name, display(done), failed=bool(ran.code))  # it can name what members made
