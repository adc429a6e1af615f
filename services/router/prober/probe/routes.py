"""The routes that are asked: read from the router's own tables. Pure, except that it reads the files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOMAINS = "domains.lst"
PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/proxy)?")
PLAIN = "*"  # the key in ssh.map for plain ssh


@dataclass(frozen=True)
class Route:
    """One route, named wiki, tls chat, ssh git, plain ssh, or chat:5222; or the port of a service without routes."""

    name: str
    kind: str  # http, tls, tcp or ssh
    host: str = ""  # that a client asks for
    ports: tuple[int, ...] = ()  # the router's public port; or those of the service, which has one of them


def read_routes(folder: Path) -> list[Route]:
    """Return all routes of the router's tables; none from a table that is not there yet."""
    domain = next((line.lstrip(".") for line in _lines(folder / DOMAINS)), "localhost")
    routes = [Route(label, "http", f"{label}.{domain}") for label, _ in _entries(folder / "http.map")]
    routes += [Route(host, "http", host) for host, _ in _entries(folder / "hosts.map")]
    routes += [Route(f"tls {label}", "tls", _host(label, domain)) for label, _ in _entries(folder / "tls.map")]
    routes += [_ssh(label, target) for label, target in _entries(folder / "ssh.map") if _ports(target)]
    tcp = ((name, name.rpartition(":")[2]) for name, _ in _entries(folder / "tcp.map"))
    probed = ((f"port {name}", ports) for name, ports in _entries(folder / "probed.map"))
    return routes + [Route(name, "tcp", ports=_ports(ports)) for name, ports in (*tcp, *probed) if _ports(ports)]


def _host(label: str, domain: str) -> str:
    return label if "." in label else f"{label}.{domain}"


def _ssh(label: str, target: str) -> Route:
    return Route("plain ssh" if label == PLAIN else f"ssh {label}", "ssh", ports=_ports(target))


def _ports(text: str) -> tuple[int, ...]:
    """Return the ports of 6010, 6010-6011 or 6010/proxy; none of what cannot be read, as the tool does."""
    found = PORTS.fullmatch(text)
    return tuple(range(int(found[1]), int(found[2] or found[1]) + 1)) if found else ()


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(path):
        key, _, value = line.partition(" ")
        yield key, value


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()]
