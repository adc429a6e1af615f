"""Have this machine run the night by itself: written into systemd or a crontab, and taken out again."""

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
    """What is installed where."""

    where: str
    text: str  # empty where it is gone
    changed: bool


def find_keeper() -> str:
    """Return what keeps time here.

    Raises:
        SystemFailure: when nothing does.
    """
    if BOOTED.is_dir():
        return SYSTEMD
    if shutil.which("crontab"):
        return CRON
    raise SystemFailure("this machine has neither systemd nor cron", hint="apt-get install cron, then the same again")


def install(call: Call, keeper: str) -> list[Installed]:
    """Have it run each night; run again, this changes nothing."""
    if keeper == CRON:
        return [_write_crontab(call.name, make_line(call))]
    done = [_write_file(path, text) for path, text in make_units(call, units_folder(), whole=_is_root()).items()]
    if any(item.changed for item in done) and BOOTED.is_dir():
        _must(_systemctl("daemon-reload"))
    _must(_systemctl("enable", *(["--now"] if BOOTED.is_dir() else []), f"{call.name}.timer"))
    return done


def uninstall(name: str) -> list[Installed]:
    """Take out what was put in, wherever it is."""
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
    """Return where units lie: the machine's for root, else one's own."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path("/etc/systemd/system") if _is_root() else own / "systemd/user"


def sleeps_when_logged_out() -> bool:
    """Whether systemd ends this person's timers with their last login."""
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
    listed = process.run(("crontab", "-l"))  # 1 where there is none yet
    before = listed.text if not listed.code else ""
    after = change_crontab(before, name, line)
    if after != before:
        _must(process.run(("crontab", "-"), stdin=after.encode()))
    return Installed("crontab -e", line, after != before)


def _systemctl(*arguments: str) -> Result:
    return process.run(("systemctl", *([] if _is_root() else ["--user"]), *arguments))


def _must(result: Result) -> None:
    if result.code:
        raise SystemFailure(
            f"it was not installed: {result.last_line()}", hint="darkpeak nightly --uninstall undoes it"
        )
