"""The texts that run `darkpeak nightly`: a systemd timer with its service, or a line of a crontab. Pure."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkpeak.errors import UsageError

PICKED = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "SSH_AUTH_SOCK")
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
CRON_PATH = "/usr/local/bin:/usr/bin:/bin"  # cron's default lacks the first


@dataclass(frozen=True)
class Call:
    """A command with its folder, environment and time, as they were when it was installed."""

    collective: str
    argv: tuple[str, ...]
    folder: Path
    environment: tuple[tuple[str, str], ...] = ()
    hour: int = 3
    minute: int = 17

    @property
    def name(self) -> str:
        """The name of the timer."""
        return make_name(self.collective)


def make_name(collective: str) -> str:
    """Return the name of a collective's timer."""
    return "darkpeak-nightly-" + (re.sub(r"[^a-z0-9]+", "-", collective.lower()).strip("-") or "collective")


def parse_time(text: str) -> tuple[int, int]:
    """Return the hour and the minute of a time of day.

    Raises:
        UsageError: when the text is not a time of day.
    """
    found = TIME.fullmatch(text)
    if not found:
        raise UsageError(f"{text} is not a time of day", hint="write it like 03:17")
    return int(found[1]), int(found[2])


def pick_environment(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables of an environment that decide which daemon is used, and how it is reached."""
    return tuple((name, environment[name]) for name in PICKED if environment.get(name))


def make_units(call: Call, folder: Path, *, whole: bool) -> dict[Path, str]:
    """Return the unit files by their paths; `whole`: for the whole machine, and not for one login."""
    waits = "Wants=network-online.target\nAfter=network-online.target docker.service\n" if whole else ""
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in call.environment)
    service = (
        f"[Unit]\nDescription=Nightly jobs of {call.collective.replace('%', '%%')} (darkpeak)\n{waits}\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={str(call.folder).replace('%', '%%')}\n{environment}"
        f"ExecStart={' '.join(_quoted(word).replace('$', '$$') for word in call.argv)}\nNice=10\n"
    )
    timer = (
        f"[Unit]\nDescription=Timer of {call.name}\n\n"
        f"[Timer]\nOnCalendar=*-*-* {call.hour:02}:{call.minute:02}:00\n"
        "Persistent=true\n\n"  # a machine that was off runs it at its next start
        "[Install]\nWantedBy=timers.target\n"
    )
    return {folder / f"{call.name}.service": service, folder / f"{call.name}.timer": timer}


def make_line(call: Call) -> str:
    """Return the line of a crontab."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in (("PATH", CRON_PATH), *call.environment)]
    command = f"cd {shlex.quote(str(call.folder))} && {' '.join(settings)} {shlex.join(call.argv)}"
    return f"{call.minute} {call.hour} * * * {command} # {call.name}".replace("%", r"\%")


def change_crontab(before: str, name: str, line: str = "") -> str:
    """Return a crontab in which this line replaces the line of that name; an empty line removes it."""
    lines = before.splitlines()
    at = next((number for number, own in enumerate(lines) if own.endswith(f" # {name}")), len(lines))
    rest = [own for own in lines if not own.endswith(f" # {name}")]
    return "".join(f"{own}\n" for own in (*rest[:at], *([line] if line else []), *rest[at:]))


def _quoted(word: str) -> str:
    """Return a word in the quotes of systemd."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if PLAIN.fullmatch(word) else f'"{escaped}"'
