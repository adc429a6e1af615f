"""A bare Debian server becomes one for services, over ssh; and a second time nothing changes."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.commands import run
from tests.live.hosts import SSH, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.collectives import Collective

PACKAGES = ("openssh-server", "procps")
WATCHED = ("etc", "usr/local", "var/lib/dpkg/status")
CLOSED = 2222


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In a long run also prepare the next Debian."""
    if "suite" in metafunc.fixturenames:
        suites = ["bookworm", "trixie"] if metafunc.config.getoption("--long") else ["bookworm"]
        metafunc.parametrize("suite", suites)


@dataclass(frozen=True)
class Server:
    """A bare Debian with nothing but an ssh server, which root's key opens."""

    machine: Host

    @property
    def uri(self) -> str:
        """What the tool is given."""
        return f"ssh://root@{self.machine.address}"

    def start_sshd(self, *options: str) -> None:
        """Start the ssh server with Debian's own settings."""
        self.machine.run(["/usr/sbin/sshd", *options])

    def files(self) -> dict[str, bytes]:
        """Return what a second run must leave alone."""
        found = [self.machine.root / name for name in WATCHED]
        paths = [path for top in found for path in ([top] if top.is_file() else top.rglob("*"))]
        return {str(path): path.read_bytes() for path in sorted(paths) if path.is_file() and not path.is_symlink()}

    def engine(self) -> str:
        """Return the process that is the engine."""
        return self.machine.run(["pgrep", "-x", "dockerd"]).stdout


@pytest.fixture
def server(host: Host, suite: str) -> Iterator[Server]:
    """Return the server."""
    assert host
    with Host(debian=suite, packages=PACKAGES) as machine:
        root = machine.root
        for key in (root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        shutil.copy(SSH / "host_key", root / "etc/ssh/ssh_host_ed25519_key")
        (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(SSH / "id_ed25519.pub", root / "root/.ssh/authorized_keys")
        server = Server(machine)
        server.start_sshd()
        yield server


@pytest.fixture
def with_key(collective: Collective) -> Iterator[Collective]:
    """Return the collective, in which ada has the ssh key that we log in with."""
    settings = collective.top / "collective.toml"
    before = settings.read_text()
    key = " ".join((SSH / "id_ed25519.pub").read_text().split()[:2])
    settings.write_text(before.replace("[admins.ada]\n", f'[admins.ada]\nssh = ["{key}"]\n'))
    yield collective
    settings.write_text(before)


def test_a_bare_server_is_made_ready_once(
    server: Server, with_key: Collective, say: Callable[[str], None], suite: str
) -> None:
    # Swap is the whole machine's, so that a test host cannot have its own: the virtual machine's test makes some.
    prepare = ("host", "prepare", server.uri, "--swap", "0")
    planned = with_key.darkpeak(*prepare, "--plan", check=False)
    assert planned.returncode == 1
    assert "make the login docker: admins drive Docker as that" in planned.stdout
    assert not (server.machine.root / "etc/docker").exists()
    assert "nothing was done" in with_key.darkpeak(*prepare, check=False).stderr

    done = with_key.darkpeak(*prepare, "--yes", timeout=400)
    say(f"{suite}: {len(done.stdout.splitlines())} steps")
    as_admin = f"ssh://docker@{server.machine.address}"
    asked = run(["docker", "--host", as_admin, "info", "--format", "{{json .}}"])
    info = json.loads(asked.stdout)
    assert (info["LiveRestoreEnabled"], info["LoggingDriver"]) == (True, "local")
    assert info["DefaultAddressPools"] == [{"Base": "10.240.0.0/16", "Size": 24}]
    assert "Docker" in with_key.darkpeak("--host", as_admin, "doctor", check=False).stdout
    shell = run(["ssh", "-o", "BatchMode=yes", f"docker@{server.machine.address}", "id"], check=False)
    assert (shell.returncode, shell.stdout) == (1, "")
    assert "drives Docker, and nothing else" in shell.stderr

    server.start_sshd("-p", str(CLOSED))
    assert connects(server, 22)
    assert not connects(server, CLOSED)

    before, engine = server.files(), server.engine()
    again = with_key.darkpeak(*prepare, "--yes")
    assert again.stdout == "nothing to do: all of it is there\n"
    assert (server.files(), server.engine()) == (before, engine)

    (server.machine.root / "etc/docker/daemon.json").write_text('{"debug": true}\n')
    with_key.darkpeak(*prepare, "--yes", timeout=200)
    settings = json.loads((server.machine.root / "etc/docker/daemon.json").read_text())
    assert (settings["debug"], settings["live-restore"]) == (True, True)
    assert server.engine() != engine


def connects(server: Server, port: int) -> bool:
    """Say whether a port of the server can be reached."""
    return not run(
        ["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{server.machine.address}/{port}"], check=False
    ).returncode


def test_no_way_in_is_said(collective: Collective) -> None:
    refused = collective.darkpeak("host", "prepare", "ssh://root@127.0.0.1:1", check=False)
    assert refused.returncode == 3
    assert "no way in to root@127.0.0.1 -p 1 by ssh" in refused.stderr
    assert Path("/etc/darkpeak").exists() is False
