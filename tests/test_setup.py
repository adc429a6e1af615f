"""bin/setup and bin/demo: what is installed from which packages, and when the demo refuses to run."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.commands import Result, run

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP = Path(__file__).parents[1]
USED = ("cat", "chmod", "cut", "dirname", "dpkg", "env", "flock", "grep", "head", "install", "mkdir", "mktemp")
ALSO = ("readlink", "rm", "sed", "sh", "sha256sum", "sleep", "sort", "tr", "uname")
# The packages that these machines' apt has, as `apt-cache policy` prints them.
DEBIAN_12 = {"docker.io": "20.10.24+dfsg1-1+deb12u1", "docker-compose": "1.29.2-3"}
DEBIAN_13 = {"docker.io": "26.1.5+dfsg1-9", "docker-cli": "26.1.5+dfsg1-9", "docker-compose": "2.26.1-4"}
UBUNTU_22 = {"docker.io": "27.5.1-0ubuntu3~22.04.2", "docker-compose": "1.29.2-1"}
UBUNTU_22_UNIVERSE = {**UBUNTU_22, "docker-compose-v2": "2.37.1+ds1-0ubuntu2~22.04.1"}
UBUNTU_24 = {"docker.io": "28.2.2-0ubuntu1~24.04.1", "docker-compose-v2": "2.37.1+ds1-0ubuntu2~24.04.1"}

# Before `apt-get update`, a bare machine's apt has no packages.
APT_CACHE = """\
#!/bin/sh
[ "$LC_ALL $1" = "C policy" ] || exit 9
[ -e "$MACHINE/updated" ] || exit 0
candidate=$(sed -n "s/^$2 //p" "$MACHINE/offers")
printf '%s:\\n  Installed: (none)\\n  Candidate: %s\\n  Version table:\\n' "$2" "${candidate:-(none)}"
"""
# After an install the programs exist: docker from a package with the client, compose from one with the plugin.
APT_GET = """\
#!/bin/sh
echo "$*" >>"$MACHINE/asked"
case $* in
*update*) : >"$MACHINE/updated" ;;
indextargets*) cat "$MACHINE/mirrors" ;;
*install*)
    for word; do
        case $word in
        docker.io | docker-cli) install -m 755 "$MACHINE/docker" "$MACHINE/bin/docker" ;;
        docker-compose-v2 | docker-compose) echo 2.26.1 >"$MACHINE/plugin" ;;
        esac
    done ;;
esac
"""
DOCKER = """\
#!/bin/sh
[ "$1 $2" = "compose version" ] && exec cat "$MACHINE/plugin"
"""
PYTHON = """\
#!/bin/sh
[ "$1" = --version ] && echo "Python 3.10.12" && exit
exit 1
"""


@dataclass(frozen=True)
class Machine:
    """A machine without docker, whose apt and id are small programs of ours; no other program can be run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def make(self, offers: Mapping[str, str], mirrors: str) -> None:
        """Write its programs, and the packages of its apt."""
        (self.folder / "bin").mkdir()
        (self.folder / "offers").write_text("".join(f"{name} {version}\n" for name, version in offers.items()))
        (self.folder / "mirrors").write_text(mirrors)
        (self.folder / "docker").write_text(DOCKER)
        self.program("apt-cache", APT_CACHE)
        self.program("apt-get", APT_GET)
        self.program("id", "#!/bin/sh\necho 0\n")
        for name in (*USED, *ALSO):
            (self.folder / "bin" / name).symlink_to(shutil.which(name) or name)
        self.environment.update(PATH=str(self.folder / "bin"), MACHINE=str(self.folder), TMPDIR=str(self.folder))

    def program(self, name: str, text: str) -> None:
        """Write a program."""
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def sh(self, words: str, *, check: bool = True) -> Result:
        """Run shell commands that can use the functions of bin/setup.sh."""
        own = f"policy={self.folder}/policy-rc.d dpkg_folder={self.folder}"  # not this machine's, where apt may run now
        known = f'set -eu\ntop={TOP}\n. "$top/bin/setup.sh"\n{own}\n'
        return run(["/bin/sh", "-c", known + words], env=self.environment, cwd=self.folder, check=check)

    @property
    def asked(self) -> list[str]:
        """The calls of apt-get, without options."""
        lines = (self.folder / "asked").read_text().splitlines()
        return [" ".join(word for word in line.split() if word[0] != "-" and "::" not in word) for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("offers", "mirrors", "installed"),
    [
        pytest.param(DEBIAN_12, "Debian|http://deb.debian.org/debian\n", ["docker.io", "docker-compose"], id="12"),
        pytest.param(DEBIAN_13, "Debian|http://deb.debian.org/debian\n", ["docker-cli", "docker-compose"], id="13"),
        pytest.param(UBUNTU_22_UNIVERSE, "Ubuntu|http://x/ubuntu\n", ["docker.io", "docker-compose-v2"], id="22.04"),
        pytest.param(UBUNTU_24, "Ubuntu|http://x/ubuntu\n", ["docker.io", "docker-compose-v2"], id="24.04"),
    ],
)
def test_the_packages_that_apt_has_are_installed(
    machine: Machine, offers: dict[str, str], mirrors: str, installed: list[str]
) -> None:
    machine.make(offers, mirrors)
    machine.sh("need_client\nneed_compose")
    assert [line.removeprefix("install ") for line in machine.asked if line.startswith("install ")] == installed
    # Debian 12's own Compose is too old, so the lists of a newer Debian are read into another folder.
    assert machine.asked.count("update") == (2 if offers is DEBIAN_12 else 1)
    assert not (machine.folder / "policy-rc.d").exists()
    before = machine.asked
    machine.sh("need_client\nneed_compose")
    assert machine.asked == before


def test_without_universe_the_error_has_a_hint(machine: Machine) -> None:
    machine.make(UBUNTU_22, "Ubuntu|http://x/ubuntu\n")
    failed = machine.sh("need_client\nneed_compose", check=False)
    assert failed.returncode == 3
    assert "add-apt-repository universe" in failed.stderr


def test_servers_do_not_start_while_a_client_is_installed(machine: Machine) -> None:
    """An administrator's own policy stays, but one that a killed run of ours left is removed."""
    machine.make(DEBIAN_12, "")
    machine.program("apt-get", '#!/bin/sh\ncase $* in *install*) cat "$MACHINE/policy-rc.d" >"$MACHINE/seen" ;; esac\n')
    for before, during, after in (
        ("", "exit 101", False),
        ("# darkpeak\nexit 101\n", "exit 101", False),
        ("exit 0\n", "exit 0", True),
    ):
        policy = machine.folder / "policy-rc.d"
        if before:
            policy.write_text(before)
        machine.sh("unstarted need_packages no-such-command=openssh-server")
        assert during in (machine.folder / "seen").read_text()
        assert policy.exists() == after


def test_two_runs_install_one_after_the_other(machine: Machine) -> None:
    """Each has its policy until its packages are installed, and no policy is left."""
    machine.make(DEBIAN_12, "")
    slow = (
        'case $* in *install*) echo in; sleep 0.3; [ -e "$MACHINE/policy-rc.d" ] && echo out ;; esac >>"$MACHINE/seen"'
    )
    machine.program("apt-get", f"#!/bin/sh\n{slow}\n")
    one = "unstarted need_packages no-such-command=openssh-server"
    machine.sh(f"( {one} ) & ( {one} ) & wait")
    assert (machine.folder / "seen").read_text().split() == ["in", "out"] * 2
    assert not (machine.folder / "policy-rc.d").exists()


def test_an_old_python_is_an_error_with_a_hint(machine: Machine) -> None:
    machine.make(UBUNTU_22, "")
    machine.program("python3", PYTHON)
    failed = machine.sh("find_python", check=False)
    assert failed.returncode == 3
    assert "Python 3.10.12" in failed.stderr
    assert "apt-get install python3.11 python3.11-venv" in failed.stderr
    machine.program("python3.11", "#!/bin/sh\n")
    assert machine.sh('find_python\necho "$python"').stdout == "python3.11\n"


@pytest.mark.parametrize(
    ("route", "link", "told"),
    [
        pytest.param("default via 192.0.2.1 dev ens3 proto dhcp\n", "mtu 1400", "1400 clamped", id="small"),
        pytest.param("default via 192.0.2.1 dev ens3 proto dhcp\n", "mtu 1500", "1500 ", id="usual"),
        pytest.param("default via 192.0.2.1 dev ens3 proto dhcp\n", "mtu 9000", "1500 ", id="large"),
        pytest.param("", "", "1500 ", id="no way out"),
    ],
)
def test_the_engines_mtu_fits_a_small_link(machine: Machine, route: str, link: str, told: str) -> None:
    machine.make(DEBIAN_12, "")
    shown = f"2: ens3: <BROADCAST,UP> {link} qdisc fq_codel state UP"
    machine.program("ip", f"#!/bin/sh\ncase $* in *route*) printf '{route}' ;; *'dev ens3') echo '{shown}' ;; esac\n")
    there = '[ -e "$MACHINE/clamped" ]'
    machine.program(
        "iptables", f"#!/bin/sh\ncase $* in *' -C '*) {there} ;; *' -A '*ens3*) : >\"$MACHINE/clamped\" ;; esac\n"
    )
    done = machine.sh(f'fit_small_link\nfit_small_link\necho "$mtu $(! {there} || echo clamped)"')
    assert done.stdout.strip() == told.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with only the files that bin/demo reads first."""
    shutil.copytree(TOP / "bin", tmp_path / "bin")
    shutil.copy(TOP / "collective.toml", tmp_path)
    return tmp_path


def demo(checkout: Path, docker_host: str = "") -> str:
    """Run bin/demo, which must refuse before it needs more than coreutils; return the first line of its error."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout), "DOCKER_HOST": docker_host}
    refused = run([str(checkout / "bin/demo")], env=environment, check=False)
    assert refused.returncode == 2
    assert "bin/setup" in refused.stderr
    assert "bin/darkpeak up" in refused.stderr
    assert not (checkout / ".demo-logins").exists()
    return refused.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"Dark Peak"', '"Bright Peak"', id="name"),
        pytest.param('"localhost"', '"darkpeak.test"', id="domain"),
        pytest.param('"ada@darkpeak.test"', '"ada@example.org"', id="mail"),
        pytest.param("[admins.grace]", "[admins.eve]", id="admin"),
        pytest.param("[admins.ada]", '[admins.ada]\nssh = ["ssh-ed25519 AAAA"]', id="key"),
        pytest.param("[admins.ada]", '[hosts.server]\ndocker = "ssh://ops@server"\n\n[admins.ada]', id="hosts"),
        pytest.param("[admins.ada]", '[backup]\nrepositories = ["volume:x"]\n\n[admins.ada]', id="backup"),
    ],
)
def test_the_demo_refuses_another_collective(checkout: Path, old: str, new: str) -> None:
    settings = checkout / "collective.toml"
    text = settings.read_text()
    assert text.count(old) == 1
    settings.write_text(text.replace(old, new))
    assert "collective.toml was changed" in demo(checkout)


def test_the_demo_refuses_a_collective_with_backups(checkout: Path) -> None:
    (checkout / "backup-key.age").write_text("age-encryption.org/v1\n")
    assert "backup-key.age" in demo(checkout)


@pytest.mark.parametrize("engine", ["ssh://ops@server", "tcp://localhost:4243"])
def test_the_demo_refuses_an_engine_on_another_machine(checkout: Path, engine: str) -> None:
    """The collective is the shipped one, whose comments may change; only the engine is refused."""
    settings = checkout / "collective.toml"
    settings.write_text(f"# My first look.\n\n{settings.read_text()}")
    assert f"the engine at {engine} is on another machine" in demo(checkout, engine)


def test_without_its_virtual_environment_the_tool_names_bin_setup(checkout: Path) -> None:
    refused = run([str(checkout / "bin/darkpeak"), "status"], check=False)
    assert refused.returncode == 2
    assert f"run {checkout}/bin/setup first" in refused.stderr
