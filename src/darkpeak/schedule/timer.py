"""What has `darkpeak nightly` run each night: a systemd timer with its service, or a line of a crontab. Pure."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkpeak.errors import UsageError

KEPT = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "SSH_AUTH_SOCK")
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
CRON_PATH = "/usr/local/bin:/usr/bin:/bin"  # cron's own lacks the first


@dataclass(frozen=True)
class Call:
    """What is to run, where, and when: as it was typed, so that the night sees what the evening saw."""

    collective: str
    argv: tuple[str, ...]
    folder: Path
    environment: tuple[tuple[str, str], ...] = ()
    hour: int = 3
    minute: int = 17

    @property
    def name(self) -> str:
        """How the timer is called."""
        return make_name(self.collective)


def make_name(collective: str) -> str:
    """Return how a collective's timer is called."""
    return "darkpeak-nightly-" + (re.sub(r"[^a-z0-9]+", "-", collective.lower()).strip("-") or "collective")


def parse_time(text: str) -> tuple[int, int]:
    """Read an hour and a minute.

    Raises:
        UsageError: when it is none.
    """
    found = TIME.fullmatch(text)
    if not found:
        raise UsageError(f"{text} is no time of day", hint="write it like 03:17")
    return int(found[1]), int(found[2])


def kept(surroundings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what of an environment decides which daemon is meant, and how it is reached."""
    return tuple((name, surroundings[name]) for name in KEPT if surroundings.get(name))


def make_units(call: Call, folder: Path, *, whole: bool) -> dict[Path, str]:
    """Return the unit files by their paths; `whole` where they are the machine's and not one person's."""
    waits = "Wants=network-online.target\nAfter=network-online.target docker.service\n" if whole else ""
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in call.environment)
    service = (
        f"[Unit]\nDescription=Back up, drill and look after {call.collective.replace('%', '%%')}\n{waits}\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={str(call.folder).replace('%', '%%')}\n{environment}"
        f"ExecStart={' '.join(_quoted(word).replace('$', '$$') for word in call.argv)}\nNice=10\n"
    )
    timer = (
        f"[Unit]\nDescription=Each night: {call.name}\n\n"
        f"[Timer]\nOnCalendar=*-*-* {call.hour:02}:{call.minute:02}:00\n"
        "Persistent=true\n\n"  # a machine that was off then makes up for it
        "[Install]\nWantedBy=timers.target\n"
    )
    return {folder / f"{call.name}.service": service, folder / f"{call.name}.timer": timer}


def make_line(call: Call) -> str:
    """Return the line of a crontab."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in (("PATH", CRON_PATH), *call.environment)]
    command = f"cd {shlex.quote(str(call.folder))} && {' '.join(settings)} {shlex.join(call.argv)}"
    return f"{call.minute} {call.hour} * * * {command} # {call.name}".replace("%", r"\%")


def change_crontab(before: str, name: str, line: str = "") -> str:
    """Return a crontab with this line in the place of the one of that name; without a line, without it."""
    lines = before.splitlines()
    at = next((number for number, own in enumerate(lines) if own.endswith(f" # {name}")), len(lines))
    rest = [own for own in lines if not own.endswith(f" # {name}")]
    return "".join(f"{own}\n" for own in (*rest[:at], *([line] if line else []), *rest[at:]))


def _quoted(word: str) -> str:
    """Return a word as systemd reads it back."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if PLAIN.fullmatch(word) else f'"{escaped}"'
