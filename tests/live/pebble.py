"""A CA with ACME: Debian's pebble, which checks names by requests to the router, with its own DNS server.

It gives no certificate for names that its DNS does not find (`refuse`). Its own https uses a root that we make.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.commands import run, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from lab.hosts import Host

NAME = "darkpeak-test-pebble"
ADDRESS = "10.60.0.1"  # this machine's address for the router's containers
DIRECTORY = f"https://{ADDRESS}:14000/dir"
DNS = f"http://{ADDRESS}:8055"
HTTP_PORT = 7080
DAYS = 90
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends pebble && rm -rf /var/lib/apt/lists/*
"""
START = """\
pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 '' -dns01 127.0.0.1:8053 -management :8055 \
    -doh '' -http01 '' -https01 '' -tlsalpn01 '' &
exec pebble -strict -config /conf/pebble.json -dnsserver 127.0.0.1:8053
"""


@dataclass(frozen=True)
class Pebble:
    """The CA, with its files in a folder."""

    host: Host
    folder: Path
    binding: str = field(default_factory=lambda: f"member-7 {secrets.token_urlsafe(32)}")  # allows an account

    @property
    def root(self) -> str:
        """The root certificate of the CA's own https, in PEM."""
        return (self.folder / "root.pem").read_text()

    def build(self) -> None:
        """Make its image and its files."""
        build = [*self._docker(), "build", "--quiet", "--tag", NAME, "-"]
        run(build, stdin=DOCKERFILE, timeout=300)
        new = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]
        files = ["-keyout", str(self.folder / "key.pem"), "-out", str(self.folder / "root.pem")]
        names = ["-subj", "/CN=pebble", "-addext", f"subjectAltName=IP:{ADDRESS}"]
        run([*new, *names, *files])

    def start(self, *, binding: bool = False) -> None:
        """Start it with no data; with `binding`, it requires an external account binding."""
        self.stop()
        self._configure(binding=binding)
        fast = ["--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_WFE_NONCEREJECT=0", "--env", "PEBBLE_AUTHZREUSE=0"]
        where = ["--network", "host", "--volume", f"{self.folder}:/conf:ro"]
        run([*self._docker(), "run", "--detach", "--name", NAME, *where, *fast, NAME, "sh", "-c", START])
        wait_for("pebble", lambda: not run(["curl", "-sk", "https://127.0.0.1:14000/dir"], check=False).returncode)

    def _configure(self, *, binding: bool) -> None:
        settings = {
            "listenAddress": "0.0.0.0:14000",
            "managementListenAddress": "0.0.0.0:15000",
            "certificate": "/conf/root.pem",
            "privateKey": "/conf/key.pem",
            "httpPort": HTTP_PORT,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": binding,
            "externalAccountMACKeys": dict([self.binding.split()]),
            "certificateValidityPeriod": DAYS * 86400,
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    def stop(self) -> None:
        """Stop it, if it runs."""
        run([*self._docker(), "rm", "--force", NAME], check=False)

    def anchor(self) -> str:
        """Return the root of its certificates, which it makes at each start."""
        return run(["curl", "-sk", "https://127.0.0.1:15000/roots/0"]).stdout

    def refuse(self, name: str, *, refused: bool = True) -> None:
        """Let its DNS fail for a name, or answer again."""
        self._dns("set-servfail" if refused else "clear-servfail", host=f"{name}.")

    def log(self) -> str:
        """Return its log."""
        said = subprocess.run([*self._docker(), "logs", NAME], capture_output=True, text=True, check=True)
        return said.stdout + said.stderr

    def _dns(self, what: str, **value: Any) -> None:
        run(["curl", "-sS", "--fail", "--data", json.dumps(value), f"http://127.0.0.1:8055/{what}"])

    def _docker(self) -> list[str]:
        return ["docker", "--host", self.host.docker_host]
