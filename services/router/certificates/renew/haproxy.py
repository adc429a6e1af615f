"""The running haproxy: answer a CA's challenges, change certificates without a reload, and check what is served."""

import socket
import ssl
import time
from pathlib import Path

from .files import HOME, PUBLIC, alone, put

ADMIN = Path("/run/control/haproxy")
HTTPS = Path("/run/control/https")
CHALLENGES = HOME / "challenges.map"
TRUSTED = HOME / "trusted.map"
SERVED_WITHIN = 5


class NotInstalled(Exception):
    """A certificate could not be put into use; the one before is back."""


def ready() -> bool:
    """Return whether haproxy answers, and its map of challenges exists."""
    try:
        tell("show info")
    except OSError:
        return False
    return CHALLENGES.exists()


def tell(command: str) -> str:
    """Send haproxy one command and return its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(ADMIN))
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace").strip()


def answer(host: str, path: str, content: str) -> None:
    """Make haproxy answer a CA's request for a host and a path; the file first, in case of a reload meanwhile."""
    key = f"{host}{path}"
    lines = [line for line in CHALLENGES.read_text().splitlines() if line.partition(" ")[0] != key]
    with alone():
        put(CHALLENGES, "".join(f"{line}\n" for line in [*lines, f"{key} {content}"]).encode())
    tell(f"del map {CHALLENGES} {key}")
    tell(f"add map {CHALLENGES} {key} {content}")


def lead_to_https(lines: list[str]) -> None:
    """Tell haproxy which names have a certificate that everyone trusts, as lines NAME UNTIL; the file first."""
    if TRUSTED.exists() and TRUSTED.read_text().splitlines() == lines:
        return
    with alone():
        put(TRUSTED, "".join(f"{line}\n" for line in lines).encode())
    tell("; ".join([f"clear map {TRUSTED}", *(f"add map {TRUSTED} {line}" for line in lines)]))


def silence() -> None:
    """Remove all answers: no challenge is open."""
    with alone():
        put(CHALLENGES, b"")
    tell(f"clear map {CHALLENGES}")


def install(path: Path, pem: str, name: str) -> None:
    """Make haproxy serve a certificate (chain and key) for a name: set file and socket, check by a handshake.

    Raises:
        NotInstalled: when it is not served; the certificate before is still served.
    """
    before = path.read_bytes() if path.exists() else None
    with alone():
        put(path, pem.encode())
        try:
            _switch(path, pem)
            _wait_until_served(name, ssl.PEM_cert_to_DER_cert(pem[: pem.index(END) + len(END)]))
        except (OSError, NotInstalled) as error:
            _put_back(path, before)
            raise NotInstalled(f"the router does not serve it: {error}") from None


END = "-----END CERTIFICATE-----\n"


def _switch(path: Path, pem: str) -> None:
    """Put a certificate into use, without its empty lines: an empty line ends a command to haproxy."""
    content = "".join(f"{line}\n" for line in pem.splitlines() if line)
    tell(f"new ssl cert {path}")  # answers "already exists" at a renewal
    tell(f"set ssl cert {path} <<\n{content}")
    said = tell(f"commit ssl cert {path}")
    if "Success" not in said:
        tell(f"abort ssl cert {path}")
        raise NotInstalled(" ".join(said.split()))
    said = tell(f"add ssl crt-list {PUBLIC} {path}")
    if "Success" not in said and "already exists" not in said:
        raise NotInstalled(" ".join(said.split()))


def _put_back(path: Path, before: bytes | None) -> None:
    if before is None:
        remove(path)
        return
    put(path, before)
    try:
        _switch(path, before.decode())
    except (OSError, NotInstalled):
        return  # it is still in use: only a commit replaces it


def remove(path: Path) -> None:
    """Remove a certificate from haproxy."""
    path.unlink(missing_ok=True)
    try:
        tell(f"del ssl crt-list {PUBLIC} {path}")
        tell(f"del ssl cert {path}")
    except OSError:
        return  # haproxy does not run; at its start, the file is gone


def _wait_until_served(name: str, wanted: bytes) -> None:
    deadline = time.monotonic() + SERVED_WITHIN
    while served(name.replace("*", "any-name", 1)) != wanted:
        if time.monotonic() > deadline:
            raise NotInstalled(f"{name} is served with another certificate")
        time.sleep(0.1)


def served(name: str) -> bytes | None:
    """Return the certificate that haproxy serves for a name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(HTTPS))
        with context.wrap_socket(connection, server_hostname=name) as tls:
            return tls.getpeercert(binary_form=True)
