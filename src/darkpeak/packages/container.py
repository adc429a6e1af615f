"""What apt's answer for a container depends on, read from its files through the engine; nothing runs in it."""

import hashlib
import io
import tarfile
from dataclasses import dataclass

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.packages.installed import Installed, NotDebian, read_status
from darkpeak.packages.listed import read_distribution

STATUS, ARCHITECTURES = "/var/lib/dpkg/status", "/var/lib/dpkg/arch"
OS_RELEASE = "/usr/lib/os-release"  # /etc/os-release is a link to it
SETTINGS, KEYRINGS = "/etc/apt", "/usr/share/keyrings"
APT, DPKG = "apt", "dpkg"


class CannotTell(Exception):
    """The packages of a container, or what is newer, cannot be known."""


@dataclass(frozen=True)
class Files:
    """The files of a container on which apt's answer depends."""

    status: bytes
    installed: Installed
    settings: bytes  # sources, pins and keys: an archive of /etc/apt
    keyrings: bytes  # an archive of /usr/share/keyrings; empty without that folder
    architectures: bytes  # foreign ones, one a line; empty without any

    @property
    def index(self) -> str:
        """What containers have in common that can share one index: apt, and everything except the packages."""
        versions = [f"{name} {self.installed.version(name)}" for name in (APT, DPKG)]
        digest = hashlib.sha256("\n".join([self.installed.native, *versions]).encode())
        for part in (self.architectures, digest_of(self.settings), digest_of(self.keyrings)):
            digest.update(b"\0" + part)
        return digest.hexdigest()[:12]


def read_installed(engine: Engine, container: str) -> tuple[bytes, Installed]:
    """Return the text of a container's dpkg status file, and the packages that it names.

    Raises:
        CannotTell: when the container has no Debian packages.
        SystemFailure: when the engine does not answer.
    """
    status = read_file(engine, container, STATUS)
    if not status:
        raise CannotTell(f"it has no {STATUS}, so it is not a Debian system with dpkg")
    try:
        return status, read_status(status.decode(errors="replace"))
    except NotDebian as error:
        raise CannotTell(str(error)) from error


def read_system(engine: Engine, container: str) -> str:
    """Return the distribution of a container, such as `debian-13`; empty if none of its files says it.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    text = read_file(engine, container, OS_RELEASE)
    return read_distribution(text.decode(errors="replace"))


def read_files(engine: Engine, container: str) -> Files:
    """Return the files of a container on which apt's answer depends.

    Raises:
        CannotTell: when the container has no Debian packages, or no apt.
        SystemFailure: when the engine does not answer.
    """
    status, installed = read_installed(engine, container)
    settings = engine.read_archive(container, SETTINGS)
    if not installed.version(APT) or not settings:
        raise CannotTell("it has no apt")
    keyrings = engine.read_archive(container, KEYRINGS)
    foreign = read_file(engine, container, ARCHITECTURES) if engine.size_of(container, ARCHITECTURES) else b""
    return Files(status, installed, settings, keyrings, foreign)


def read_file(engine: Engine, container: str, path: str) -> bytes:
    """Return the content of a container's file; empty if there is no such file.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    packed = engine.read_archive(container, path)
    if not packed:
        return b""
    with opened(packed) as archive:
        member = archive.next()
        file = archive.extractfile(member) if member and member.isfile() else None
        return file.read() if file else b""


def digest_of(packed: bytes) -> bytes:
    """Return a hash of an archive's names and contents; times do not count, since two builds differ in them."""
    digest = hashlib.sha256()
    if packed:
        with opened(packed) as archive:
            for member in sorted(archive, key=lambda item: item.name):
                digest.update(f"{member.name}\0{member.type!r}\0{member.linkname}\0{member.size}\0".encode())
                file = archive.extractfile(member) if member.isfile() else None
                digest.update(file.read() if file else b"")
    return digest.digest()


def opened(packed: bytes) -> tarfile.TarFile:
    """Open an archive that the engine sent.

    Raises:
        SystemFailure: when it is damaged.
    """
    try:
        return tarfile.open(fileobj=io.BytesIO(packed))
    except tarfile.TarError as error:
        raise SystemFailure(f"the engine sent a damaged archive: {error}", hint="try again") from error
