"""A small signed archive for apt, served on this host: tests decide what is in it, so that none depends on Debian's."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHITECTURES = ("amd64", "i386")
SUITE, SECURITY = "peak", "peak-security"
KEY = "archive@darkpeak.test"
DATE = "%a, %d %b %Y %H:%M:%S UTC"
KEYRING = "/etc/apt/keyrings/peak.asc"


@dataclass(frozen=True)
class Stanza:
    """A package of the archive, or of a container's list."""

    name: str
    version: str
    architecture: str = "amd64"
    more: str = ""  # more fields, one a line
    content: bytes = b""  # of its file; most tests need none

    @property
    def file(self) -> str:
        """Where the archive has it."""
        return f"pool/{self.name}_{self.version}_{self.architecture}.deb"

    def packed(self) -> str:
        """Return it as in a Packages file."""
        digest = hashlib.sha256(self.content).hexdigest()
        return f"{self._fields()}Filename: {self.file}\nSize: {len(self.content)}\nSHA256: {digest}\n\n"

    def installed(self, status: str = "install ok installed") -> str:
        """Return it as in dpkg's list."""
        return f"{self._fields()}Status: {status}\n\n"

    def _fields(self) -> str:
        head = f"Package: {self.name}\nVersion: {self.version}\nArchitecture: {self.architecture}\n"
        return f"{head}Maintainer: a test\nDescription: a test\n{self.more}"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Archive:
    """The archive; it is served while the block runs."""

    def __init__(self, address: str) -> None:
        """Describe an archive that containers reach at an address of this host."""
        self.top = Path(tempfile.mkdtemp(prefix="darkpeak-archive-"))
        self.home = self.top / "gnupg"
        self.home.mkdir(mode=0o700)
        (self.top / "served").mkdir()
        serve = partial(Quiet, directory=str(self.top / "served"))
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), serve)  # noqa: S104 (containers come by a bridge)
        self.uri = f"http://{address}:{self.server.server_port}/"

    def __enter__(self) -> Self:
        """Make the key, and serve."""
        self._gpg("--quick-generate-key", KEY, "ed25519", "sign", "never")
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving, and remove everything."""
        self.server.shutdown()
        self.server.server_close()
        run(["gpgconf", "--homedir", str(self.home), "--kill", "all"])
        shutil.rmtree(self.top)

    @property
    def public_key(self) -> str:
        """The key that signs it."""
        return self._gpg("--armor", "--export", KEY)

    def sources(self, *suites: str) -> str:
        """Return the lines of sources.list for suites."""
        return "".join(f"deb [signed-by={KEYRING}] {self.uri} {suite} main\n" for suite in suites)

    def publish(self, suite: str, packages: Iterable[Stanza], *, days: float = 7) -> None:
        """Write and sign the lists of a suite, which are valid for some days from now; negative: they have expired."""
        folder = self.top / "served" / "dists" / suite
        listed = list(packages)
        hashes = []
        for architecture in ARCHITECTURES:
            content = "".join(item.packed() for item in listed if item.architecture in (architecture, "all")).encode()
            path = folder / f"main/binary-{architecture}/Packages"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            hashes.append(f" {digest} {len(content)} main/binary-{architecture}/Packages\n")
        now = datetime.now(UTC)
        dates = f"Date: {now - timedelta(days=30):{DATE}}\nValid-Until: {now + timedelta(days=days):{DATE}}\n"
        head = f"Origin: Peak\nSuite: {suite}\nCodename: {suite}\nComponents: main\n{dates}"
        (folder / "Release").write_text(
            f"{head}Architectures: {' '.join(ARCHITECTURES)}\nSHA256:\n{''.join(hashes)}", encoding="ascii"
        )
        release = folder / "InRelease"
        self._gpg("--local-user", KEY, "--clearsign", "--output", str(release), str(folder / "Release"))

    def store(self, stanza: Stanza, content: bytes = b"") -> None:
        """Write a package's file, with its own or other content."""
        path = self.top / "served" / stanza.file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content or stanza.content)

    def falsify(self, suite: str) -> None:
        """Change a suite's signed file after it was signed."""
        path = self.top / "served" / "dists" / suite / "InRelease"
        path.write_text(path.read_text().replace("Origin: Peak", "Origin: Fake"))

    def remove(self, suite: str) -> None:
        """Remove a suite."""
        shutil.rmtree(self.top / "served" / "dists" / suite)

    def _gpg(self, *arguments: str) -> str:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--pinentry-mode", "loopback"]
        return run([*command, "--passphrase", "", *arguments]).stdout
