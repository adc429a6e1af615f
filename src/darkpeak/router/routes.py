"""Routes as values: what the router leads where, what it may never do, and how two tables differ. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from darkpeak.errors import UsageError
from darkpeak.router.acme import Acme
from darkpeak.vocabulary import (
    BLOCKS,
    HOST_NAME,
    HTTP_PORT,
    HTTPS_PORT,
    JUMP,
    PORTS,
    SSH_PORT,
    block_of,
    ports_of,
)

SERVICE_BLOCKS = BLOCKS[1:]  # the first is the router's own; its haproxy.cfg has the same bounds
OWN_PORTS = (HTTP_PORT, HTTPS_PORT, SSH_PORT)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, order=True)
class Route:
    """Host names that begin with `label` lead to a port; a label with a dot is one whole host name."""

    label: str
    port: int

    @property
    def whole(self) -> bool:
        """Whether it stands for one host name, of any domain, rather than for a first label."""
        return "." in self.label


@dataclass(frozen=True, order=True)
class TlsRoute:
    """TLS for this name is passed on unread; `proxy` where the service asks for the PROXY protocol."""

    label: str
    port: int
    proxy: bool = False


@dataclass(frozen=True, order=True)
class TcpRoute:
    """What connects to the public port is led to a port of the service."""

    public: int
    port: int
    service: str
    proxy: bool = False

    @property
    def name(self) -> str:
        """What the router's files and log call it."""
        return f"{self.service}:{self.public}"


@dataclass(frozen=True, order=True)
class Limit:
    """What a service takes: requests a second from one client, and requests at once from all; 0 is no limit."""

    label: str
    rate: int = 0
    connections: int = 0


@dataclass(frozen=True)
class Table:
    """All that the router leads anywhere, and the blocks outside which it may lead nothing."""

    domains: tuple[str, ...]
    http: tuple[Route, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    tls: tuple[TlsRoute, ...] = ()
    ssh: tuple[Route, ...] = ()
    plain_ssh: int = 0  # the port that plain ssh leads to; 0 is the jump server
    limits: tuple[Limit, ...] = ()
    acme: Acme | None = None
    blocks: tuple[int, ...] = field(default=tuple(SERVICE_BLOCKS), compare=False, repr=False)
    own_ports: tuple[int, ...] = field(default=OWN_PORTS, compare=False, repr=False)  # of the router itself

    def targets(self) -> dict[str, int]:
        """Return the port of every route, by the route's name."""
        http = {route.label: route.port for route in self.http}
        tls = {f"tls {route.label}": route.port for route in self.tls}
        ssh = {f"ssh {route.label}": route.port for route in self.ssh}
        ssh |= {"plain ssh": self.plain_ssh} if self.plain_ssh else {}
        return http | tls | ssh | {route.name: route.port for route in self.tcp}


@dataclass(frozen=True)
class Changes:
    """What applying a table changed, by the routes' names."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()  # added, and the service does not answer yet
    reverted: tuple[str, ...] = ()  # put back as it was, since nothing answered where it should have led
    synchronised: bool = False  # files or running router were not as the files of before said, or settings changed
    reloaded: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.synchronised or self.reloaded)

    def __str__(self) -> str:
        named = [("added", self.added), ("changed", self.changed), ("removed", self.removed)]
        named += [("not answering yet:", self.silent)]
        words = [f"{word} {_some(names)}" for word, names in named if names]
        words += ["router synchronised"] * self.synchronised + ["reloaded"] * self.reloaded
        return "; ".join(words) or "nothing to do"


def _some(names: tuple[str, ...], most: int = 6) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + f" and {more} more" * (more > 0)


def merge(several: Iterable[Changes]) -> Changes:
    """Return what several changes were together."""
    found = list(several)

    def names(of: Callable[[Changes], tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted({name for item in found for name in of(item)}))

    return Changes(
        names(lambda item: item.added),
        names(lambda item: item.changed),
        names(lambda item: item.removed),
        names(lambda item: item.silent),
        names(lambda item: item.reverted),
        any(item.synchronised for item in found),
        any(item.reloaded for item in found),
    )


class Counted(NamedTuple):
    """What the router has counted of one service since it was last loaded."""

    block: int
    requests: int
    failed: int
    milliseconds: int  # of all its answers together


def compare(before: Table, after: Table) -> Changes:
    """Return the difference between two tables."""
    old, new = before.targets(), after.targets()
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def check(table: Table) -> None:
    """Make sure that a table leads into declared blocks only, and every name to one place.

    Raises:
        UsageError: at the first route that is not so.
    """
    for domain in table.domains:
        _require(HOST_NAME.fullmatch(domain), f"{domain!r} is no domain")
    labelled: list[Route | TlsRoute | Limit] = [*table.http, *table.tls, *table.ssh, *table.limits]
    for label in (item.label for item in labelled):
        _require(HOST_NAME.fullmatch(label), f"{label!r} is neither a label nor a host name")
    _check_ssh(table)
    _check_tcp(table)
    _once("the name", [route.label for route in table.http])
    _once("the name", [route.label for route in table.tls])
    _once("the limit of", [limit.label for limit in table.limits])
    if table.acme:
        _check_acme(table.acme)
    allowed = {port for block in table.blocks if block in SERVICE_BLOCKS for port in ports_of(block)}
    for name, port in table.targets().items():
        _require(port in allowed, f"{name} leads to port {port}, which is in no declared block")


def _check_ssh(table: Table) -> None:
    labels = [route.label for route in table.ssh]
    _once("the ssh name", labels)
    for label in labels:
        _require("." not in label, f"{label} cannot be an ssh route: only a first label can")
        _require(label != JUMP, f"the ssh name {JUMP} is the router's own")


def _check_tcp(table: Table) -> None:
    for tcp in table.tcp:
        _require(NAME.fullmatch(tcp.service), f"{tcp.service!r} is no service's name")
        _require(tcp.public in PORTS, f"{tcp.public} is no port")
        in_blocks = block_of(tcp.public) in BLOCKS
        _require(
            not in_blocks and tcp.public not in table.own_ports,
            f"public port {tcp.public} is not free for {tcp.service}",
        )
    _once("public port", [str(tcp.public) for tcp in table.tcp])


def _check_acme(acme: Acme) -> None:
    for fault in acme.faults():
        _require(condition=False, message=fault)
    for name in acme.names:
        _require(HOST_NAME.fullmatch(name), f"{name!r} is no host name")
    _once("the certificate of", [names[0] for names in acme.certificates])


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        _require(name not in seen, f"{what} {name} is there twice")
        seen.add(name)


def _require(condition: object, message: str) -> None:
    if not condition:
        raise UsageError(message, hint="darkpeak lint shows where it is written")
