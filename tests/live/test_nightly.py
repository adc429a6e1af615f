"""`nightly`: run by hand, installed with cron and systemd on a fresh Debian, and missed nights in `status`."""

from __future__ import annotations

import json
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.collectives import TOP
from lab.commands import run
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.commands import Result

CRONTAB = "# ours\n0 4 * * * true\n"
UNITS = "/etc/systemd/system/darkpeak-nightly-dark-peak"
LEFT_OUT = ("mypy*", "ruff*", "hypothesis*", "slixmpp*", "__pycache__", "*.dist-info")
COLLECTIVE = """\
name = "Dark Peak"
domain = "localhost"

[admins.ada]
ssh = ["{ada}"]

[admins.grace]
ssh = ["{grace}"]
"""


@pytest.fixture(scope="module")
def debian() -> Iterator[Host]:
    """Yield a fresh Debian with cron, systemd's programs, this tool, and a collective in /srv/our own."""
    with Host(debian="bookworm", packages=("cron", "systemd", "python3")) as machine:
        srv = machine.root / "srv"
        packages = Path(sysconfig.get_paths()["purelib"])
        shutil.copytree(packages, srv / "packages", ignore=shutil.ignore_patterns(*LEFT_OUT))
        shutil.copytree(TOP / "src", srv / "src")
        (srv / "darkpeak").write_text(
            "#!/usr/bin/python3\nimport sys\n"
            "sys.path[:0] = ['/srv/src', '/srv/packages']\nfrom darkpeak.cli import main\nmain()\n"
        )
        (srv / "darkpeak").chmod(0o755)
        (srv / "our own/services").mkdir(parents=True)
        public = {}
        for name in ("ada", "grace"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(srv / name)])
            public[name] = (srv / f"{name}.pub").read_text().strip()
        (srv / "our own/collective.toml").write_text(COLLECTIVE.format(**public))
        yield machine


def nightly(machine: Host, *options: str, check: bool = True) -> Result:
    """Run `darkpeak nightly` on a machine."""
    argv = ["env", "-i", "PATH=/usr/bin:/bin:/usr/sbin", "HOME=/root", "DOCKER_HOST=ssh://nas", "/srv/darkpeak"]
    return machine.run([*argv, "nightly", *options], cwd="/srv/our own", check=check)


def test_the_crontab_line_is_installed_once_and_uninstalled(debian: Host) -> None:
    """A real cron accepts it and keeps other lines, and its shell runs in the collective's folder."""
    debian.run(["crontab", "-"], stdin=CRONTAB)
    first = nightly(debian, "--install", "--identity", "/srv/ada", "--at", "4:05", "--json")
    (done,) = json.loads(first.stdout)
    assert (done["where"], done["changed"]) == ("crontab -e", True)
    listed = debian.run(["crontab", "-l"]).stdout
    assert listed == f"{CRONTAB}{done['text']}\n"
    assert done["text"].startswith("5 4 * * * cd '/srv/our own' && ")
    assert "DOCKER_HOST=ssh://nas /srv/darkpeak nightly --identity /srv/ada" in done["text"]
    again = nightly(debian, "--install", "--identity", "/srv/ada", "--at", "4:05")
    assert "unchanged" in again.stdout
    assert debian.run(["crontab", "-l"]).stdout == listed
    # Run the line as cron would: it fails only because the collective has no backup key.
    night = debian.run(["env", "-i", "HOME=/root", "/bin/sh", "-c", done["text"].partition("* * * ")[2]], check=False)
    assert (night.returncode, "there is no backup-key.age" in night.stderr) == (2, True), night.stderr
    nightly(debian, "--uninstall")
    assert debian.run(["crontab", "-l"]).stdout == CRONTAB
    assert "nothing is installed" in nightly(debian, "--uninstall").stderr


def test_the_systemd_units_are_valid_and_are_uninstalled(debian: Host) -> None:
    nightly(debian, "--install", "--with", "systemd", "--identity", "/srv/ada")
    units = [f"{UNITS}.service", f"{UNITS}.timer"]
    verified = debian.run(["systemd-analyze", "verify", *units], check=False)
    assert (verified.returncode, own_lines(verified.stderr)) == (0, [])
    wanted = debian.root / "etc/systemd/system/timers.target.wants/darkpeak-nightly-dark-peak.timer"
    assert wanted.is_symlink()
    broken = debian.root / "etc/systemd/system/darkpeak-broken.service"
    broken.write_text((debian.root / f"{units[0]}".lstrip("/")).read_text().replace("ExecStart=/", "ExecStart="))
    assert own_lines(
        debian.run(["systemd-analyze", "verify", str(broken)[len(str(debian.root)) :]], check=False).stderr
    )
    assert "unchanged" in nightly(debian, "--install", "--with", "systemd", "--identity", "/srv/ada").stdout
    nightly(debian, "--uninstall")
    assert not wanted.is_symlink()
    assert [unit for unit in units if (debian.root / unit.lstrip("/")).exists()] == []


def own_lines(said: str) -> Sequence[str]:
    """Return the lines about our units, and not about the system's own."""
    return [line for line in said.splitlines() if "darkpeak" in line]
