"""A bare Debian server is prepared for services, over ssh; a second run changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pytest

from lab.commands import Options, Result, run, wait_for
from lab.hosts import SSH, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective

NAME = "bare"
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,procps"
NETWORK = "198.18.250.0/24"  # in the range for which every test host has the host key
# All capabilities of a server's init, except those that affect the real machine: its clock, modules, disks.
CAPABILITIES = (
    *("AUDIT_WRITE", "DAC_READ_SEARCH", "MKNOD", "NET_ADMIN", "NET_RAW", "SETFCAP", "SYS_ADMIN", "SYS_CHROOT"),
    *("SYS_NICE", "SYS_PTRACE", "SYSLOG"),
)
# systemd makes control groups here; for version 1 of them, trixie's systemd needs a setting.
INIT = """\
mount -o remount,rw /sys
for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -L $folder ] || mount -o remount,rw $folder 2>/dev/null || :; done
exec /sbin/init SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
"""
FINGERPRINT = "find /etc /usr/local /var/lib/dpkg/status -type f -exec sha256sum {} + | sort"
UNITS = ("docker", "darkpeak-firewall", "unattended-upgrades")
CLOSED = 2222


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In a long run, also test the next Debian."""
    if "suite" in metafunc.fixturenames:
        suites = ["bookworm", "trixie"] if metafunc.config.getoption("--long") else ["bookworm"]
        metafunc.parametrize("suite", suites)


@dataclass(frozen=True)
class Server:
    """A container with a bare Debian, its own init and an ssh server, in which root can log in with a key."""

    host: Host

    def docker(self, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run the docker client on the engine on which it runs."""
        return run(["docker", "--host", self.host.docker_host, *arguments], **options)

    def run(self, *argv: str, **options: Unpack[Options]) -> Result:
        """Run a program in it."""
        return self.docker("exec", NAME, *argv, **options)

    @property
    def address(self) -> str:
        """Its address."""
        asked = f'{{{{(index .NetworkSettings.Networks "{NAME}").IPAddress}}}}'
        return self.docker("inspect", "--format", asked, NAME).stdout.strip()

    @property
    def uri(self) -> str:
        """Its URI, for the tool."""
        return f"ssh://root@{self.address}"

    def make(self, suite: str, folder: Path) -> None:
        """Build the server from Debian's archive, and start it."""
        archive = str(folder / "bare.tar")
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", suite, archive]
        run(argv, timeout=600)
        self.docker("import", archive, NAME, timeout=120)
        self.docker("network", "create", "--subnet", NETWORK, NAME)
        caps = [f"--cap-add={name}" for name in CAPABILITIES]
        free = [f"--security-opt={name}=unconfined" for name in ("apparmor", "seccomp", "systempaths")]
        own = ["--cgroupns=private", "--device-cgroup-rule=a *:* rwm", "--tmpfs=/run:exec", "--network", NAME]
        own += ["--volume=/var/lib/docker", "--volume=/var/lib/containerd", "--env=container=docker"]
        self.docker("create", "--name", NAME, "--hostname", NAME, *caps, *free, *own, NAME, "sh", "-c", INIT)
        (folder / ".ssh").mkdir(mode=0o700)
        (folder / ".ssh/authorized_keys").write_bytes((SSH / "id_ed25519.pub").read_bytes())
        self.docker("cp", str(folder / ".ssh"), f"{NAME}:/root/")
        self.docker("cp", str(SSH / "host_key"), f"{NAME}:/etc/ssh/ssh_host_ed25519_key")
        self.docker("start", NAME)
        self.wait()

    def reboot(self) -> None:
        """Stop the server, and start it again."""
        self.docker("restart", "--time", "30", NAME, timeout=90)
        self.wait()

    def wait(self) -> None:
        """Wait until its init has started everything without a failure."""
        words = ("systemctl", "is-system-running")
        wait_for("the server", lambda: self.run(*words, check=False).stdout.strip() == "running", timeout=120)

    def remove(self) -> None:
        """Remove the server completely."""
        self.docker("rm", "--force", "--volumes", NAME, check=False)
        self.docker("network", "rm", NAME, check=False)
        self.docker("rmi", NAME, check=False)

    def fingerprint(self) -> str:
        """Return what a second run must not change."""
        return self.run("sh", "-c", FINGERPRINT).stdout

    def engine(self) -> str:
        """Return the engine's process."""
        return self.run("pgrep", "-x", "dockerd").stdout

    def connects(self, port: int) -> bool:
        """Return whether one of its ports can be reached."""
        argv = ["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{self.address}/{port}"]
        return not run(argv, check=False).returncode


@pytest.fixture
def server(host: Host, suite: str, tmp_path: Path) -> Iterator[Server]:
    """Yield the server."""
    server = Server(host)
    server.remove()
    try:
        server.make(suite, tmp_path)
        yield server
    finally:
        server.remove()


@pytest.fixture
def with_key(collective: Collective) -> Iterator[Collective]:
    """Yield the collective, in which ada has the ssh key with which the tests log in."""
    settings = collective.top / "collective.toml"
    before = settings.read_text()
    key = " ".join((SSH / "id_ed25519.pub").read_text().split()[:2])
    settings.write_text(before.replace("[admins.ada]\n", f'[admins.ada]\nssh = ["{key}"]\n'))
    yield collective
    settings.write_text(before)


def test_a_bare_server_is_made_ready_once(
    server: Server, with_key: Collective, say: Callable[[str], None], suite: str
) -> None:
    # Swap belongs to the whole machine, so a container cannot have its own; the VM's test makes it.
    prepare = ("host", "prepare", server.uri, "--swap", "0")
    planned = with_key.darkpeak(*prepare, "--plan", check=False)
    assert planned.returncode == 1
    assert "make the login docker: admins use Docker with it" in planned.stdout
    assert server.run("test", "-e", "/etc/docker", check=False).returncode
    assert "nothing was done" in with_key.darkpeak(*prepare, check=False).stderr

    done = with_key.darkpeak(*prepare, "--yes", timeout=400)
    say(f"{suite}: {len(done.stdout.splitlines())} steps")
    is_prepared(server, with_key)

    before, engine = server.fingerprint(), server.engine()
    again = with_key.darkpeak(*prepare, "--yes")
    assert again.stdout == "nothing to do: it is prepared\n"
    assert (server.fingerprint(), server.engine()) == (before, engine)

    server.reboot()
    is_prepared(server, with_key)
    assert with_key.darkpeak(*prepare, "--yes").stdout == again.stdout

    engine = server.engine()
    server.run("sh", "-c", """echo '{"debug": true}' >/etc/docker/daemon.json""")
    with_key.darkpeak(*prepare, "--yes", timeout=200)
    settings = json.loads(server.run("cat", "/etc/docker/daemon.json").stdout)
    assert (settings["debug"], settings["live-restore"]) == (True, True)
    assert server.engine() != engine


def is_prepared(server: Server, collective: Collective) -> None:
    """Check that an admin can use Docker there and nothing else, and that other ports are closed."""
    as_admin = f"ssh://docker@{server.address}"
    info = json.loads(run(["docker", "--host", as_admin, "info", "--format", "{{json .}}"]).stdout)
    assert (info["LiveRestoreEnabled"], info["LoggingDriver"]) == (True, "local")
    assert info["DefaultAddressPools"] == [{"Base": "10.240.0.0/16", "Size": 24}]
    assert "Docker" in collective.darkpeak("--host", as_admin, "doctor", check=False).stdout
    shell = run(["ssh", "-o", "BatchMode=yes", f"docker@{server.address}", "id"], check=False)
    assert (shell.returncode, shell.stdout) == (1, "")
    assert "this login is only for Docker" in shell.stderr

    assert server.run("systemctl", "is-enabled", *UNITS).stdout.split() == ["enabled"] * len(UNITS)
    assert server.run("systemctl", "is-active", *UNITS).stdout.split() == ["active"] * len(UNITS)
    server.run("/usr/sbin/sshd", "-p", str(CLOSED))
    assert server.connects(22)
    assert not server.connects(CLOSED)
    server.run("pkill", "-f", f"sshd.*-p {CLOSED}")


def test_a_failed_login_is_an_error(collective: Collective) -> None:
    refused = collective.darkpeak("host", "prepare", "ssh://root@127.0.0.1:1", check=False)
    assert refused.returncode == 3
    assert "cannot log in to root@127.0.0.1 -p 1 over ssh" in refused.stderr
    assert Path("/etc/darkpeak").exists() is False
