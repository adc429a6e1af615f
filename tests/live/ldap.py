"""ldap-utils on the host, as a client of the directory."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Self

from lab.commands import run
from tests.live.facts import router
from tests.live.facts.directory import MEMBERS, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from lab.collectives import Collective
    from lab.commands import Result

PLAIN, TLS = "ldap://directory.localhost:6020", "ldaps://directory.localhost:6021"
GROUPS = "ou=groups,dc=collective"
CONFIDENTIALITY_REQUIRED, STRONGER_AUTH_REQUIRED, CONSTRAINT, INVALID, DENIED = 13, 8, 19, 49, 50

# The C library does not resolve names below localhost.
BY_NAME = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')


class Client:
    """ldap-utils on the host, with the collective's CA for verification."""

    def __init__(self, collective: Collective, folder: Path, passwords: Mapping[str, str] | None = None) -> None:
        """Write the CA's certificate; `passwords` are those of further members."""
        self.collective, self.folder = collective, folder
        self.passwords = {**MEMBERS, **(passwords or {})}
        (folder / "ca.crt").write_text(router.authority(collective))
        (folder / "hosts").write_text("127.0.0.1 localhost directory.localhost\n")

    def run(self, program: str, *arguments: str, uid: str = "", password: str = "", ldif: str = "") -> Result:
        """Run a program, as a member if one is given, or as an entry with a whole DN."""
        who: tuple[str, ...] = ()
        if uid:
            (self.folder / "password").write_text(password or self.passwords[uid])
            who = ("-D", uid if "=" in uid else f"uid={uid},{PEOPLE}", "-y", str(self.folder / "password"))
        trust = {"LDAPTLS_CACERT": str(self.folder / "ca.crt"), "LDAPTLS_REQCERT": "demand", "HOME": "/nonexistent"}
        environment = {**self.collective.environment, **trust}
        return run(
            [*BY_NAME, str(self.folder / "hosts"), program, "-x", *who, *arguments],
            check=False,
            stdin=ldif,
            env=environment,
        )

    def search(self, address: str, base: str, *wanted: str, uid: str = "") -> str:
        """Return the LDIF of a search's result."""
        return self.run("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-H", address, "-b", base, *wanted, uid=uid).stdout


class Guesser:
    """One connection on which many passwords are tried, as a program that guesses does."""

    def __init__(self, client: Client) -> None:
        """Connect."""
        context = ssl.create_default_context(cafile=str(client.folder / "ca.crt"))
        connection = socket.create_connection(("127.0.0.1", 6021), timeout=60)
        self.connection = context.wrap_socket(connection, server_hostname="directory.localhost")

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connection."""
        self.connection.close()

    def logs_in(self, uid: str, password: str) -> bool:
        """Try a password; return whether it is right."""
        name = f"uid={uid},{PEOPLE}".encode()
        simple = _ber(0x02, b"\x03") + _ber(0x04, name) + _ber(0x80, password.encode())
        code = self._ask(_ber(0x60, simple), b"\x61")
        assert code in {0, INVALID}, code
        return code == 0

    def set_password(self, uid: str, password: str) -> int:
        """Replace a member's password, as the member of the last login; return LDAP's result code."""
        values = _ber(0x04, b"userPassword") + _ber(0x31, _ber(0x04, password.encode()))
        change = _ber(0x30, _ber(0x0A, b"\x02") + _ber(0x30, values))
        name = _ber(0x04, f"uid={uid},{PEOPLE}".encode())
        return self._ask(_ber(0x66, name + _ber(0x30, change)), b"\x67")

    def finds(self, uid: str) -> bool:
        """Search for a member by the whole name, as services do; return whether there is one."""
        wanted = _ber(0xA3, _ber(0x04, b"uid") + _ber(0x04, uid.encode()))
        limits = _ber(0x0A, b"\2") + _ber(0x0A, b"\0") + _ber(0x02, b"\0") * 2 + _ber(0x01, b"\0")  # the whole subtree
        search = _ber(0x04, PEOPLE.encode()) + limits + wanted + _ber(0x30, _ber(0x04, b"uid"))
        self.connection.sendall(_ber(0x30, _ber(0x02, b"\x01") + _ber(0x63, search)))
        answer = b""
        while DONE not in answer:
            answer += self.connection.recv(4096)
        return f"uid={uid},".encode() in answer

    def _ask(self, request: bytes, response: bytes) -> int:
        """Send a request; return the code of the response: tag, length, then the code as an enumeration."""
        self.connection.sendall(_ber(0x30, _ber(0x02, b"\x01") + request))
        answer = self.connection.recv(4096)
        return answer[answer.index(response) + 4]


def _ber(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


DONE = _ber(0x02, b"\x01") + b"\x65"  # the end of a search's result
