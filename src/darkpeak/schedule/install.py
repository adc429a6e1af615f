"""Install the nightly jobs on this machine, in systemd or in a crontab, and uninstall them."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from darkpeak import process
from darkpeak.errors import SystemFailure
from darkpeak.result import Result
from darkpeak.schedule.timer import Call, change_crontab, make_line, make_units

SYSTEMD, CRON = "systemd", "cron"
BOOTED = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")


@dataclass(frozen=True)
class Installed:
    """One file, or the crontab, that was installed or uninstalled."""

    where: str
    text: str  # empty if it was removed
    changed: bool


def find_scheduler() -> str:
    """Return what runs jobs at a time on this machine: SYSTEMD or CRON.

    Raises:
        SystemFailure: when it has neither.
    """
    if BOOTED.is_dir():
        return SYSTEMD
    if shutil.which("crontab"):
        return CRON
    raise SystemFailure("this machine has neither systemd nor cron", hint="install cron: apt-get install cron")


def install(call: Call, scheduler: str) -> list[Installed]:
    """Install a command with a scheduler; a second call changes nothing.

    Raises:
        SystemFailure: when the scheduler refuses.
    """
    if scheduler == CRON:
        return [_write_crontab(call.name, make_line(call))]
    done = [_write_file(path, text) for path, text in make_units(call, units_folder(), whole=_is_root()).items()]
    if any(item.changed for item in done) and BOOTED.is_dir():
        _must(_systemctl("daemon-reload"))
    _must(_systemctl("enable", *(["--now"] if BOOTED.is_dir() else []), f"{call.name}.timer"))
    return done


def uninstall(name: str) -> list[Installed]:
    """Remove what was installed, from systemd and from the crontab.

    Raises:
        SystemFailure: when the scheduler refuses.
    """
    done = []
    units = [units_folder() / f"{name}.{kind}" for kind in ("timer", "service")]
    if any(path.exists() for path in units):
        _must(_systemctl("disable", *(["--now"] if BOOTED.is_dir() else []), f"{name}.timer"))
        for path in units:
            path.unlink(missing_ok=True)
            done.append(Installed(str(path), "", changed=True))
        if BOOTED.is_dir():
            _must(_systemctl("daemon-reload"))
    if shutil.which("crontab"):
        taken = _write_crontab(name, "")
        done += [taken] if taken.changed else []
    return done


def units_folder() -> Path:
    """Return the folder of systemd's units: the machine's for root, else that of this login."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path("/etc/systemd/system") if _is_root() else own / "systemd/user"


def sleeps_when_logged_out() -> bool:
    """Return whether systemd stops this login's timers when the login ends."""
    return not _is_root() and BOOTED.is_dir() and not (LINGER / Path.home().owner()).exists()


def _is_root() -> bool:
    return os.geteuid() == 0


def _write_file(path: Path, text: str) -> Installed:
    before = path.read_text() if path.exists() else ""
    if before != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Installed(str(path), text, before != text)


def _write_crontab(name: str, line: str) -> Installed:
    listed = process.run(("crontab", "-l"))  # exit code 1 if there is none yet
    before = listed.text if not listed.code else ""
    after = change_crontab(before, name, line)
    if after != before:
        _must(process.run(("crontab", "-"), stdin=after.encode()))
    return Installed("crontab -e", line, after != before)


def _systemctl(*arguments: str) -> Result:
    return process.run(("systemctl", *([] if _is_root() else ["--user"]), *arguments))


def _must(result: Result) -> None:
    if result.code:
        raise SystemFailure(f"it was not installed: {result.last_line()}", hint="undo it: darkpeak nightly --uninstall")
