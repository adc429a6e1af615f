"""The URI of a Docker daemon. Pure."""

import re
from dataclasses import dataclass

SSH_SOCKET = "/var/run/docker.sock"
FORMS = "unix:///PATH, ssh://USER@HOST[:PORT][/SOCKET] or tcp://HOST:PORT"
UNIX = re.compile(r"unix://(?P<path>/.+)")
SSH = re.compile(
    r"ssh://(?:(?P<user>[\w.-]+)@)?(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\])(?::(?P<port>\d{1,5}))?(?P<path>/.*)?"
)
TCP = re.compile(r"(?:tcp|https?)://(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})/?")
PORTS = range(1, 65536)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Uri:
    """Where a daemon is; `path` is its socket, on this machine (unix) or on the host (ssh)."""

    scheme: str
    host: str = ""
    user: str = ""
    port: int | None = None
    path: str = ""

    @property
    def loopback(self) -> bool:
        """Whether it is reached without leaving this machine."""
        return self.scheme == "unix" or self.host in LOOPBACK

    @property
    def login(self) -> str:
        """What you type after `ssh` to log in there."""
        port = f" -p {self.port}" if self.port else ""
        return f"{self.user}@{self.host}{port}" if self.user else f"{self.host}{port}"


def parse_uri(written: str) -> Uri | None:
    """Return the parts of a URI, or None if it is not valid."""
    unix, ssh, tcp = (form.fullmatch(written) for form in (UNIX, SSH, TCP))
    port = int((ssh and ssh["port"]) or (tcp and tcp["port"]) or 1)
    if port not in PORTS:
        return None
    if unix:
        return Uri("unix", path=unix["path"])
    if ssh and not ssh["host"].startswith("-"):
        path = ssh["path"] if (ssh["path"] or "/") != "/" else SSH_SOCKET
        return Uri("ssh", ssh["host"].strip("[]"), ssh["user"] or "", port if ssh["port"] else None, path)
    return Uri("tcp", tcp["host"], port=port) if tcp else None
