"""Test hosts: small machines, each with its own processes, network, /run and Docker engine.

    python -m lab.hosts COMMAND…     run COMMAND in the main test host, whose images are kept

A host is one `unshare` process. If the process that started it ends, the host and everything in it ends too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from lab import slots
from lab.commands import Options, Result, run, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

BOOT = Path(__file__).with_name("boot.sh")
SSH = slots.LAB / "ssh"
STARTED = "/var/lib/docker/started"  # exists in a host while its engine runs, and after it was killed
WAS_KILLED = "/run/docker.killed"  # exists after that, until the engine has been restarted in order
NAME = "DARKPEAK_TEST_HOST"  # the variable, in the main host, with the number of its slot


class Host:
    """A test host: with the machine's files, or (`debian=`) a fresh system of that suite with only `packages`."""

    def __init__(self, *, keep: bool = False, debian: str = "", packages: Sequence[str] = ()) -> None:
        """Describe a host; with `keep`, the next host in this slot gets the engine's images."""
        self.keep, self.debian, self.packages = keep, debian, packages
        self.process: subprocess.Popen[bytes] | None = None
        self.slot, self.lock, self.pid = slots.Slot(0), -1, 0

    @staticmethod
    def is_current() -> bool:
        """Return whether this process runs in the main host."""
        return NAME in os.environ

    @classmethod
    def current(cls) -> Self:
        """Return the host in which this process runs."""
        host = cls()
        host.slot, host.pid = slots.Slot(int(os.environ[NAME])), 1
        return host

    @property
    def address(self) -> str:
        """The host's address, for the host that started it and for its neighbours."""
        return self.slot.address

    @property
    def docker_host(self) -> str:
        """The engine's URI, which can be used in the host and on the machine."""
        return f"unix://{self.slot.folder}/docker.sock"

    @property
    def data(self) -> Path:
        """The folder of the engine's data."""
        return self.slot.kept if self.keep else self.slot.folder / "data"

    @property
    def root(self) -> Path:
        """The host's file system, as a path outside the host."""
        return self.slot.folder / "root" if self.debian else Path("/")

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> Self:
        """Boot the host, connect it, and start the engine; a fresh system has no engine."""
        self.slot, self.lock = slots.claim()
        try:
            self._prepare_files()
            self._boot()
            slots.connect(self.slot, self.pid)
            if not self.debian:
                self.start_engine()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Kill everything that runs in it, and remove its files, rules and cable."""
        if self.process:
            self.process.kill()
            self.process.wait()
            wait_for(f"{self.slot.name} to end", lambda: not Path(f"/proc/{self.pid}/ns/pid").exists())
        slots.clean(self.slot)
        os.close(self.lock)

    def run(self, argv: Sequence[str], **options: Unpack[Options]) -> Result:
        """Run a command in it; `cwd` is a folder of the host."""
        where = options.pop("cwd", "/")
        return run([*self._enter(where), *argv], **options)

    def reach(self, argv: Sequence[str], **options: Unpack[Options]) -> Result:
        """Run a program of our own file system in its network."""
        return run(["nsenter", "--target", str(self.pid), "--net", *argv], **options)

    def call(self, argv: Sequence[str], *, cwd: Path | str = "/") -> int:
        """Run a command in it on our own terminal, to its end; return its exit code."""
        environment = os.environ | {NAME: str(self.slot.number), "DOCKER_HOST": self.docker_host}
        with subprocess.Popen([*self._enter(cwd), *argv], env=environment) as process:
            interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it too, and handles it
            try:
                return process.wait()
            finally:
                signal.signal(signal.SIGINT, interrupt)

    def start_engine(self, timeout: float = 90) -> None:
        """Start containerd and dockerd if they do not run, and wait until the engine answers."""
        if self._has(STARTED) and self.run(["pgrep", "-x", "dockerd"], check=False).returncode:
            self.run(["touch", WAS_KILLED])
        self.run(["touch", STARTED])
        self.run(["rm", "-f", "/run/docker.pid"])  # a killed engine's file would stop the next one from starting

        def answers() -> bool:
            """Start what does not run, also a program that ended while it started, and return whether all is there."""
            self._background("/usr/bin/containerd", "--config", f"{self.slot.folder}/containerd.toml")
            self._background("/usr/sbin/dockerd", "--config-file", f"{self.slot.folder}/daemon.json")
            return self.engine_answers()

        log = f"{self.slot.folder}/dockerd.log"
        wait_for(f"the engine of {self.slot.name} (its log: {log})", answers, timeout=timeout)

    def kill_engine(self) -> None:
        """Kill dockerd, like a crash; containers run on until the next engine starts."""
        self.run(["pkill", "-KILL", "-x", "dockerd"])

    def stop_engine(self) -> None:
        """Stop dockerd as an init does, so that its files are complete."""
        self.run(["pkill", "-TERM", "-x", "dockerd"])
        running = ["pgrep", "-x", "dockerd"]
        wait_for("the engine to stop", lambda: self.run(running, check=False).returncode, timeout=90)
        self.run(["rm", "-f", STARTED])

    def engine_answers(self) -> bool:
        """Return whether the engine answers."""
        return not self.run(["docker", "--host", self.docker_host, "version"], check=False).returncode

    def start_sshd(self) -> str:
        """Start an ssh server, to which root of every test host may log in; return the engine's ssh:// URI."""
        settings = self.slot.folder / "sshd_config"
        settings.write_text(
            f"HostKey {SSH}/host_key\nAuthorizedKeysFile {SSH}/id_ed25519.pub\nUsePAM yes\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
            "Subsystem sftp internal-sftp\n"
        )
        self.run(["/usr/sbin/sshd", "-f", str(settings), "-E", f"{self.slot.folder}/sshd.log"])
        return f"ssh://root@{self.address}"

    def forget(self) -> None:
        """Remove all containers, volumes and networks, but no images.

        An engine that was killed is restarted in order: it keeps ports of containers that were removed since.
        """
        docker = ["docker", "--host", self.docker_host]
        for what, remove in (("ps -aq", "rm -f"), ("volume ls -q", "volume rm -f")):
            found = self.run([*docker, *what.split()]).stdout.split()
            if found:
                self.run([*docker, *remove.split(), *found], timeout=120)
        self.run([*docker, "network", "prune", "-f"])
        if self._has(WAS_KILLED):
            self.stop_engine()
            self.start_engine()
            self.run(["rm", "-f", WAS_KILLED])

    def prune(self) -> None:
        """Remove images without a name, and the oldest build cache."""
        docker = ["docker", "--host", self.docker_host]
        self.run([*docker, "image", "prune", "-f"], timeout=120)
        self.run([*docker, "builder", "prune", "-f", "--keep-storage", "4GB"], timeout=120)

    def _has(self, path: str) -> bool:
        return not self.run(["test", "-e", path], check=False).returncode

    def _enter(self, cwd: Path | str) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--pid", "--net", f"--wdns={cwd}"]

    def _background(self, *argv: str) -> None:
        log = f"{self.slot.folder}/{Path(argv[0]).name}.log"
        self.run(
            [
                "start-stop-daemon",
                "--start",
                "--oknodo",
                "--background",
                "--no-close",
                "--output",
                log,
                "--exec",
                argv[0],
                "--",
                *argv[1:],
            ]
        )

    def _prepare_files(self) -> None:
        """Write the files that boot.sh and the engine read."""
        folder = self.slot.folder
        for engine in ("docker", "containerd"):
            (self.data / engine).mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        (folder / "resolv.conf").write_text("".join(f"nameserver {one}\n" for one in slots.name_servers()))
        (folder / "containerd.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        (folder / "daemon.json").write_text(
            json.dumps(
                {
                    "hosts": ["unix:///run/docker.sock", self.docker_host],
                    "containerd": "/run/containerd/containerd.sock",
                    "exec-opts": [
                        "native.cgroupdriver=cgroupfs"
                    ],  # the machine's systemd does not manage our processes
                    "default-address-pools": [{"base": slots.CONTAINER_NETWORKS, "size": 24}],
                }
            )
        )
        make_ssh_folder()
        if self.debian:
            run(
                [
                    "mmdebstrap",
                    "--variant=minbase",
                    f"--include={','.join(self.packages)}",
                    self.debian,
                    str(self.root),
                ],
                timeout=600,
            )

    def _boot(self) -> None:
        """Start process 1, and wait until the host has booted."""
        argv = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "--fork",
            "--kill-child",
            "--mount",
            "--uts",
            "--pid",
            "--net",
            "--mount-proc",
            str(BOOT),
            self.slot.name,
            str(self.root),
            str(self.slot.folder / "resolv.conf"),
            str(self.data),
            str(SSH),
        ]
        with (self.slot.folder / "boot.log").open("wb") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        wait_for(f"{self.slot.name} to boot", lambda: self._has_ended() or children.read_text())
        self.pid = int(children.read_text())
        booted = Path(f"/proc/{self.pid}/root/run/booted")
        wait_for(f"{self.slot.name} to boot", lambda: self._has_ended() or booted.exists())

    def _has_ended(self) -> bool:
        if self.process and self.process.poll() is not None:
            raise AssertionError(f"{self.slot.name} did not boot: {(self.slot.folder / 'boot.log').read_text()}")
        return False


def make_ssh_folder() -> None:
    """Make root's ~/.ssh of all test hosts, once: all hosts share one key and one host key."""
    if (SSH / "config").exists():
        return
    SSH.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in ("id_ed25519", "host_key"):
        (SSH / key).unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "darkpeak-test", "-f", str(SSH / key)])
    (SSH / "known_hosts").write_text("198.18.* " + (SSH / "host_key.pub").read_text())
    (SSH / "config").write_text(f"IdentityFile {SSH}/id_ed25519\nUserKnownHostsFile {SSH}/known_hosts\n")


def main(argv: list[str]) -> int:
    """Run a command in the main test host."""
    if os.geteuid() != 0:
        sys.exit("error: test hosts need network namespaces and engines: run this as root, or with sudo")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Host(keep=True) as host:
        host.forget()
        host.prune()
        return host.call(argv, cwd=Path.cwd())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
