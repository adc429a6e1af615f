"""A remote machine: only its engine's data can be written, and no other file; it is reached only by ssh."""

from __future__ import annotations

import ctypes
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab import seed
from lab.commands import run, wait_for
from lab.hosts import SSH, Host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
SESSIONS = "^sshd(-session)?: root"
TEMPORARY = ("/tmp", "/var/log")  # noqa: S108 (of the remote machine, on which nobody else works)
CLOSED = """\
mount --bind "$1" "$1"
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/log
mount -o remount,bind,ro /
"""
SETTINGS = f"""\
AuthorizedKeysFile {SSH}/id_ed25519.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PrintLastLog no
LogLevel VERBOSE
MaxSessions 1
"""


TLS_PORT = 2376
SERVER_FILES = {"cacert": "ca.pem", "cert": "server.pem", "key": "server-key.pem"}


class Remote(Host):
    """A test host for the other end of an ssh connection; it starts with the images of the seed."""

    def _prepare_files(self) -> None:
        super()._prepare_files()
        with seed.locked():
            seed.copy_images(seed.SEED / "docker", self.data / "docker")
        self.certificates.mkdir()
        make_certificates(self.certificates, self.address)
        settings = self.slot.folder / "daemon.json"
        files = {f"tls{key}": str(self.certificates / file) for key, file in SERVER_FILES.items()}
        engine = json.loads(settings.read_text()) | {"tlsverify": True} | files
        engine["hosts"] += [f"tcp://{self.address}:{TLS_PORT}"]
        settings.write_text(json.dumps(engine))

    @property
    def certificates(self) -> Path:
        """The folder for DOCKER_CERT_PATH."""
        return self.slot.folder / "certificates"

    @property
    def tls_uri(self) -> str:
        """The engine's URI for clients with a certificate."""
        return f"tcp://{self.address}:{TLS_PORT}"

    def start_engine(self, timeout: float = 90) -> None:
        """Make the machine's files read-only, at the first call, and start the engine."""
        if self.run(["test", "-w", "/etc"], check=False).returncode == 0:
            self.run(["sh", "-euc", CLOSED, "sh", str(self.slot.folder)])
        super().start_engine(timeout)

    def start_sshd(self, port: int = 22, key: Path = SSH / "host_key") -> str:
        """Start an ssh server that allows one session for each connection; return the engine's ssh:// URI."""
        settings = self.slot.folder / f"sshd_config.{port}"
        settings.write_text(f"{SETTINGS}HostKey {key}\nPort {port}\nPidFile {self.slot.folder}/sshd.{port}\n")
        self.run(["/usr/sbin/sshd", "-f", str(settings), "-E", str(self.sshd_log)])
        return f"ssh://root@{self.address}" + f":{port}" * (port != 22)

    @property
    def sshd_log(self) -> Path:
        """The log of the ssh server."""
        return self.slot.folder / "sshd.log"

    def logins(self) -> int:
        """Return the number of logins by ssh."""
        return self.sshd_log.read_text().count("Accepted publickey")

    def cut(self) -> None:
        """End every ssh connection, and leave the server running."""
        self.run(["pkill", "-KILL", "-f", SESSIONS])
        wait_for("the connections to end", lambda: self.run(["pgrep", "-f", SESSIONS], check=False).returncode)

    def written(self) -> list[str]:
        """Return the files, except the engine's, that were made in the folders that can be written."""
        # While a health check starts, the engine has a file there.
        engines = ("-not", "-name", "runc-process*")
        found = self.run(["find", *TEMPORARY, "-ignore_readdir_race", "-mindepth", "1", *engines]).stdout.split()
        return sorted(found)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Run this thread in its network, as its own programs run."""
        with Path("/proc/self/ns/net").open("rb") as ours, Path(f"/proc/{self.pid}/ns/net").open("rb") as its:
            _enter(its.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())

    def docker(self, *arguments: str) -> Sequence[str]:
        """Return the lines that the docker client prints for this engine."""
        return run(["docker", "--host", self.docker_host, *arguments], timeout=120).stdout.splitlines()


def make_certificates(folder: Path, address: str) -> None:
    """Make a CA in a folder, and certificates from it for a daemon and for a client."""
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    ca = ("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca-key.pem"))
    for name, key, subject, more in (
        ("ca", "ca-key", "/CN=test CA", ()),
        ("server", "server-key", "/CN=server", (*ca, "-addext", f"subjectAltName=IP:{address}")),
        ("cert", "key", "/CN=client", (*ca, "-addext", "extendedKeyUsage=clientAuth")),
    ):
        files = ("-out", str(folder / f"{name}.pem"), "-keyout", str(folder / f"{key}.pem"))
        run(["openssl", *new, "-subj", subject, *files, *more])


def _enter(namespace: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
