"""Where a client may connect: to a declared ssh route, by its name. We send haproxy the name; it knows the port."""

import os
import socket
import struct
from pathlib import Path

TABLES = Path("/var/lib/router")
SSH_PORTS = (22, int(os.environ.get("SSH_PORT", "7022")))
ANY = "*"  # in ssh.map: where plain ssh leads


def find(host: str, port: int, tables: Path = TABLES) -> str | None:
    """Return the name of the ssh route that a client requests, or None if there is none."""
    label, _, domain = host.lower().partition(".")
    domains = (tables / "domains.lst").read_text().split()
    routes = {line.split()[0] for line in (tables / "ssh.map").read_text().splitlines()}
    ours = not domain or any(f".{domain}".endswith(suffix) for suffix in domains)
    return label if port in SSH_PORTS and ours and label in routes - {ANY} else None


def proxy_header(name: str) -> bytes:
    """Return a PROXY header, version 2, whose authority is the name."""
    address = socket.inet_aton("127.0.0.1") * 2 + struct.pack("!HH", 0, 22)
    authority = struct.pack("!BH", 2, len(name)) + name.encode()
    body = address + authority
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(body)) + body
