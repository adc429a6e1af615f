"""The virtual machine: from nothing to a wiki in it, with everything killed that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pytest

from lab.collectives import TOOL, TOP, Collective
from lab.commands import Options, Result, run, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOOT = 900
SENDING = 2400  # docker unpacks images for long under software emulation
MARK = "/root/mark"
ESSENTIAL = {"box", "host_key", "host_key.pub", "key", "key.pub", "known_hosts", "lock"}
WIKI = "http://wiki.localhost:7080/"


@dataclass(frozen=True)
class Laptop:
    """A laptop with a collective, and a folder for the VM."""

    collective: Collective
    home: Path

    @property
    def folder(self) -> Path:
        """The folder of the VM's files."""
        return self.home / "darkpeak/vm"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the shell."""
        return {**self.collective.environment, "XDG_STATE_HOME": str(self.home)}

    def darkpeak(self, *arguments: str, **options: Unpack[Options]) -> Result:
        """Run the tool."""
        settled: Options = {"env": self.environment, "timeout": BOOT}
        return self.collective.darkpeak(*arguments, **(settled | options))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the tool, which the test then kills."""
        argv, null = [str(TOOL), *arguments], subprocess.DEVNULL
        return subprocess.Popen(argv, env=self.environment, cwd=self.collective.top, stdout=null, stderr=null)

    def inside(self, *words: str) -> str:
        """Run a command in the VM; return its output."""
        return self.darkpeak("vm", "ssh", *words).stdout.strip()

    def status(self) -> dict[str, str]:
        """Return the tool's status of the VM."""
        found: dict[str, str] = json.loads(self.darkpeak("vm", "status", "--json").stdout)
        return found

    def processes(self, name: str) -> list[str]:
        """Return the processes of a program that belong to this VM."""
        return run(["pgrep", "-f", f"{name}.*{self.folder}"], check=False).stdout.split()

    def left_over(self) -> list[str]:
        """Return the files in a halted VM's folder that it does not need."""
        return sorted({path.name for path in self.folder.iterdir() if "partial" in path.name or path.name == "making"})


@pytest.fixture
def laptop(collective: Collective) -> Iterator[Laptop]:
    """Yield a laptop on whose ports no router listens; its VM is always removed at the end."""
    collective.darkpeak("stop", "router")
    home = Path(tempfile.mkdtemp(prefix="vm-"))
    laptop = Laptop(collective, home)
    yield laptop
    laptop.darkpeak("vm", "destroy", "--yes", check=False)
    shutil.rmtree(home)


def test_too_little_memory_is_an_error(laptop: Laptop) -> None:
    refused = laptop.darkpeak("vm", "up", "--memory", "99999999", check=False)
    assert refused.returncode == 3
    [said, hint, _log] = refused.stderr.splitlines()
    assert said.startswith("error: ")
    assert said.endswith("MiB of memory are free, which is too little for a VM of 99999999 MiB")
    assert "--memory" in hint
    assert not (laptop.folder / "making").exists()


def test_too_little_disk_space_is_an_error(laptop: Laptop) -> None:
    run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(laptop.home)])
    try:
        for command in ("up", "box"):
            refused = laptop.darkpeak("vm", command, check=False)
            assert refused.returncode == 3
            assert refused.stderr.splitlines()[0].startswith("error: 0.1 GiB of disk are free, and ")
    finally:
        run(["umount", str(laptop.home)])


@pytest.mark.parametrize(("port", "whose"), [(4243, "another tunnel?"), (7443, "this machine's own router")])
def test_a_port_in_use_is_an_error(laptop: Laptop, port: int, whose: str) -> None:
    with socket.create_server(("127.0.0.1", port)):
        refused = laptop.darkpeak("vm", "up", check=False)
    assert refused.returncode == 2
    said, hint = refused.stderr.splitlines()
    assert said == f"error: port {port} is in use"
    assert whose in hint


def test_commands_without_a_vm(laptop: Laptop) -> None:
    assert (laptop.status()["state"], laptop.status()["tunnel"]) == ("none", "closed")
    assert "nothing to do" in laptop.darkpeak("vm", "halt").stdout
    refused = laptop.darkpeak("vm", "ssh", "true", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: there is no VM\n  make one: darkpeak vm up\n  log: ")
    elsewhere = laptop.darkpeak("status", "--host", "vagrant", check=False)
    assert elsewhere.returncode == 3
    assert "no Docker engine answers at" in elsewhere.stderr


@pytest.mark.long
def test_a_vm_is_made_survives_kills_serves_a_wiki_and_is_destroyed(laptop: Laptop, say: Callable[[str], None]) -> None:
    shows = partial(show, say)

    # Kill it while the box is built: the next run waits for the dead run's tools, and then starts again.
    killed = laptop.start("vm", "box")
    wait_for("the build of the box to begin", (laptop.folder / "making/root.tar").exists, timeout=60)
    killed.send_signal(signal.SIGKILL)
    killed.wait()

    up = laptop.darkpeak("vm", "up", "--json")
    shows(seconds=json.loads(up.stdout)["seconds"])
    assert laptop.left_over() == []
    assert laptop.status()["tunnel"] == "answering"
    version = run(["docker", "--host", "tcp://localhost:4243", "version", "--format", "{{.Server.Version}}"])
    assert version.stdout.strip()
    assert "nothing to do" in prepare(laptop, "--plan")
    laptop.inside("touch", MARK)
    laptop.inside("sync")  # killing QEMU is like a power failure: what was not written is lost

    # Run again: the same VM, at once.
    booted, started = laptop.inside("cat", "/proc/sys/kernel/random/boot_id"), time.monotonic()
    laptop.darkpeak("vm", "up")
    shows(again=time.monotonic() - started)
    assert laptop.inside("cat", "/proc/sys/kernel/random/boot_id") == booted

    # Kill QEMU, and then the run that starts it again.
    [qemu] = laptop.processes("qemu-system")
    os.kill(int(qemu), signal.SIGKILL)
    wait_for("QEMU to end", lambda: laptop.status()["state"] == "halted")
    killed = laptop.start("vm", "up")
    wait_for("QEMU to start", lambda: laptop.status()["state"] == "running")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    laptop.darkpeak("vm", "up")
    assert len(laptop.processes("qemu-system")) == 1
    assert laptop.inside("ls", MARK) == MARK
    assert laptop.left_over() == []

    # The wiki: built here, sent once, started there, and read through the VM's router.
    laptop.darkpeak("vm", "halt")
    laptop.collective.darkpeak("up", "wiki", timeout=900)
    laptop.collective.darkpeak("down")
    started = time.monotonic()
    said = laptop.darkpeak("vm", "up").stderr
    if "vmx" not in Path("/proc/cpuinfo").read_text() and "svm" not in Path("/proc/cpuinfo").read_text():
        assert "no hardware virtualisation here" in said
    shows(from_halted=time.monotonic() - started)
    started = time.monotonic()
    assert "sent darkpeak-wiki-webserver" in laptop.darkpeak("vm", "send", "wiki", timeout=SENDING).stdout
    shows(images_sent=time.monotonic() - started)
    assert "nothing to send" in laptop.darkpeak("vm", "send", "wiki").stdout
    started = time.monotonic()
    laptop.darkpeak("up", "wiki", "--host", "vagrant", timeout=1200)
    shows(wiki_up=time.monotonic() - started)
    assert "dokuwiki" in run(["curl", "-sSL", "--fail", "--max-time", "60", WIKI], timeout=90).stdout.lower()
    assert "darkpeak-wiki-webserver" in laptop.inside("docker", "ps")

    shows(wiki_after_power_cuts=[cut_power(laptop), cut_power(laptop)])

    laptop.darkpeak("vm", "destroy", "--yes")
    assert {path.name for path in laptop.folder.iterdir()} == ESSENTIAL
    assert laptop.processes("qemu-system") == laptop.processes("ssh") == []


def cut_power(laptop: Laptop) -> float:
    """Kill QEMU and boot again; return after how many seconds the wiki is reached, with nobody's help."""
    laptop.inside("sync")
    [qemu] = laptop.processes("qemu-system")
    os.kill(int(qemu), signal.SIGKILL)
    wait_for("QEMU to end", lambda: laptop.status()["state"] == "halted")
    laptop.darkpeak("vm", "up")
    started = time.monotonic()
    wait_for("the wiki", lambda: not run(["curl", "-sSL", "--fail", WIKI], check=False).returncode, timeout=300)
    return time.monotonic() - started


def prepare(laptop: Laptop, *options: str) -> str:
    """Return the output of `host prepare` for the VM."""
    settings = (laptop.folder / "ssh_config").read_text().replace("Host vagrant", "Host 127.0.0.1")
    port = settings.split("Port ")[1].split(maxsplit=1)[0]
    known = laptop.home / "ssh"
    known.mkdir(mode=0o700, exist_ok=True)
    (known / "config").write_text(settings)
    words = [str(TOOL), "host", "prepare", f"ssh://root@127.0.0.1:{port}", *options]
    script = 'mount --bind "$1" /root/.ssh && shift && exec "$@"'
    return run(["unshare", "--mount", "sh", "-c", script, "sh", str(known), *words], timeout=1200).stdout


def show(say: Callable[[str], None], **measured: object) -> None:
    """Print a measurement."""
    for name, value in measured.items():
        say(f"{name}: {value:.1f} s" if isinstance(value, float) else f"{name}: {value}")


@pytest.mark.long
def test_the_vagrantfile_is_valid(laptop: Laptop) -> None:
    """Vagrant needs the key for this; it fetches the box only when the VM starts."""
    laptop.folder.mkdir(parents=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(laptop.folder / "key")])
    own = {"VAGRANT_HOME": f"{laptop.home}/home", "VAGRANT_DOTFILE_PATH": f"{laptop.home}/vagrant"}
    environment = {**laptop.environment, **own, "VAGRANT_DEFAULT_PROVIDER": "libvirt"}
    assert "validated successfully" in run(["vagrant", "validate"], cwd=TOP / "vm", env=environment).stdout
    broken = {**environment, "XDG_STATE_HOME": f"{laptop.home}/elsewhere"}
    assert "must exist" in run(["vagrant", "validate"], cwd=TOP / "vm", env=broken, check=False).stderr
