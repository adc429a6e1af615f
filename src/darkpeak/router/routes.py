"""Routes as values: the router's table, what it may not contain, and how two tables differ. Pure."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

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

AnyRoute = TypeVar("AnyRoute", "Route", "TlsRoute", "TcpRoute")
SERVICE_BLOCKS = BLOCKS[1:]  # the first is the router's own; its haproxy.cfg has the same bounds
OWN_PORTS = (HTTP_PORT, HTTPS_PORT, SSH_PORT)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, order=True)
class Route:
    """Host names that begin with `label` lead to a port; a label with a dot is a whole host name."""

    label: str
    port: int

    @property
    def whole(self) -> bool:
        """Whether the label is a whole host name, of any domain."""
        return "." in self.label


@dataclass(frozen=True, order=True)
class TlsRoute:
    """TLS for this name is passed on without being decrypted; `proxy`: with the PROXY protocol."""

    label: str
    port: int
    proxy: bool = False


@dataclass(frozen=True, order=True)
class TcpRoute:
    """Connections to the public port lead to a port of the service."""

    public: int
    port: int
    service: str
    proxy: bool = False

    @property
    def name(self) -> str:
        """Its name in the router's files and log."""
        return f"{self.service}:{self.public}"


@dataclass(frozen=True, order=True)
class Link:
    """A stream that other hosts may have: they name it by the port of the service's files; it leads to `port`."""

    name: int
    port: int
    proxy: bool = False


@dataclass(frozen=True, order=True)
class Limit:
    """Limits of a service; 0 is the router's default."""

    label: str
    rate: int = 0  # requests per second from one client
    connections: int = 0  # requests at once from all clients
    idle: int = 0  # seconds without a byte
    body: int = 0  # bytes of a request's body


@dataclass(frozen=True)
class Gate:
    """The http routes that only members may use, and the keys with which the login page says who is one."""

    labels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()  # in PEM: the one that signs now, and the next one
    optional: tuple[str, ...] = ()  # labels of routes that everybody may use, and that learn who is a member


@dataclass(frozen=True)
class Table:
    """All routes of the router, and the blocks into which they may lead."""

    domains: tuple[str, ...]
    http: tuple[Route, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    tls: tuple[TlsRoute, ...] = ()
    ssh: tuple[Route, ...] = ()
    plain_ssh: int = 0  # the port that plain ssh leads to; 0 is the jump server
    limits: tuple[Limit, ...] = ()
    gate: Gate = Gate()
    acme: Acme | None = None
    away: tuple[tuple[str, str], ...] = ()  # labels and whole host names, and the hosts to whose routers they lead
    peers: tuple[tuple[str, str], ...] = ()  # these hosts, and their addresses
    links: tuple[Link, ...] = ()
    far: tuple[
        tuple[int, str], ...
    ] = ()  # streams of other hosts for the stand-ins here, by the same ports; and the hosts
    far_tcp: tuple[tuple[int, int], ...] = ()  # public ports that lead to streams of other hosts
    probed: tuple[Route, ...] = ()  # of services without routes: the port at which the prober asks each
    pairs: tuple[int, ...] = ()  # the first port of each pair of which a container has one
    kept: frozenset[int] = field(default=frozenset(), compare=False, repr=False)  # ports whose routes stay as they are
    blocks: tuple[int, ...] = field(default=tuple(SERVICE_BLOCKS), compare=False, repr=False)
    own_ports: tuple[int, ...] = field(default=OWN_PORTS, compare=False, repr=False)  # of the router itself

    def pair_of(self, port: int) -> int:
        """Return the first port of the pair that has this port; 0 if it is in none."""
        return next((first for first in (port, port - 1) if first in self.pairs), 0)

    def ports(self, port: int) -> str:
        """Return this port, or the pair that has it, as the router's files have it: 6010 or 6010-6011."""
        first = self.pair_of(port)
        return f"{first}-{first + 1}" if first else str(port)

    def targets(self) -> dict[str, int]:
        """Return the port of every route, by the route's name."""
        http = {route.label: route.port for route in self.http}
        tls = {f"tls {route.label}": route.port for route in self.tls}
        ssh = {f"ssh {route.label}": route.port for route in self.ssh}
        ssh |= {"plain ssh": self.plain_ssh} if self.plain_ssh else {}
        return http | tls | ssh | {route.name: route.port for route in self.tcp}

    @property
    def led(self) -> set[int]:
        """All ports that routes and streams lead to."""
        return {*self.targets().values(), *(link.port for link in self.links)}


@dataclass(frozen=True)
class Changes:
    """What changed when a table was applied, by the routes' names."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()  # it leads to the service, which does not answer
    reverted: tuple[str, ...] = ()  # it leads where it led before, because nothing answered at the new port
    synchronised: bool = False  # the router differed from its files, or settings changed
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


def merge(several: Iterable[Changes], answering: Collection[str] = ()) -> Changes:
    """Return several changes as one; `answering` are routes that were seen to answer after all of them."""
    found = list(several)

    def names(of: Callable[[Changes], tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted({name for item in found for name in of(item)}))

    return Changes(
        names(lambda item: item.added),
        names(lambda item: item.changed),
        names(lambda item: item.removed),
        tuple(name for name in names(lambda item: item.silent) if name not in answering),
        tuple(name for name in names(lambda item: item.reverted) if name not in answering),
        any(item.synchronised for item in found),
        any(item.reloaded for item in found),
    )


class Counted(NamedTuple):
    """The router's counters of one service, since it was last loaded."""

    block: int
    requests: int
    failed: int
    milliseconds: int  # the sum of all answers' times
    current: int = 1  # requests that are not answered yet; an older router does not say it, so there may be one


def compare(before: Table, after: Table) -> Changes:
    """Return the difference between two tables."""
    old, new = before.targets(), after.targets()
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def with_kept(table: Table, before: Table) -> Table:
    """Return a table that also has the routes of `before` to its kept ports, unless their names are in use."""
    names, public = set(table.targets()), {route.public for route in table.tcp}
    kept = {name: port for name, port in before.targets().items() if port in table.kept and name not in names}
    tcp = [route for route in before.tcp if route.name in kept and route.public not in public]
    http = [route for route in before.http if route.label in kept]
    labels = {route.label for route in http} - {limit.label for limit in table.limits}
    streams = {link.name for link in table.links}
    links = [link for link in before.links if link.port in table.kept and link.name not in streams]
    own = {route.label for route in http}
    ports = {*kept.values(), *(link.port for link in links)}
    gate = Gate(
        tuple(sorted({*table.gate.labels, *(own & set(before.gate.labels))})),
        table.gate.keys or before.gate.keys,
        tuple(sorted({*table.gate.optional, *(own & set(before.gate.optional))})),
    )
    return replace(
        table,
        http=(*table.http, *http),
        tcp=(*table.tcp, *tcp),
        tls=(*table.tls, *(route for route in before.tls if f"tls {route.label}" in kept)),
        ssh=(*table.ssh, *(route for route in before.ssh if f"ssh {route.label}" in kept)),
        plain_ssh=table.plain_ssh or kept.get("plain ssh", 0),
        links=(*table.links, *links),
        limits=(*table.limits, *(limit for limit in before.limits if limit.label in labels)),
        gate=gate,
        pairs=tuple(sorted({*table.pairs, *(before.pair_of(port) for port in ports)} - {0})),
        blocks=(*table.blocks, *map(block_of, ports)),
    )


def without_gated(table: Table) -> Table:
    """Return a table without the routes that only members may use: nothing can say who is one."""
    open_ones = tuple(route for route in table.http if route.label not in table.gate.labels)
    return replace(table, http=open_ones, gate=Gate())


def lead_back(table: Table, before: Table, names: Collection[str]) -> Table:
    """Return a table in which the named routes lead where they led before; those that are new are left out."""
    old = before.targets()
    kept = {**table.targets(), **{name: old.get(name, 0) for name in names}}  # 0: it is left out

    def lead(routes: Iterable[AnyRoute], name_of: Callable[[AnyRoute], str]) -> tuple[AnyRoute, ...]:
        return tuple(replace(route, port=kept[name_of(route)]) for route in routes if kept[name_of(route)])

    return replace(
        table,
        http=lead(table.http, lambda route: route.label),
        tls=lead(table.tls, lambda route: f"tls {route.label}"),
        ssh=lead(table.ssh, lambda route: f"ssh {route.label}"),
        tcp=lead(table.tcp, lambda route: route.name),
        plain_ssh=kept.get("plain ssh", 0),
        pairs=tuple(sorted({*table.pairs, *before.pairs})),
        blocks=(*table.blocks, *(block_of(port) for port in kept.values() if port)),
    )


def check(table: Table) -> None:
    """Check that routes lead only into declared blocks, and that no name is there twice.

    Raises:
        UsageError: for the first route that is not allowed.
    """
    for domain in table.domains:
        _require(HOST_NAME.fullmatch(domain), f"{domain!r} is not a domain")
    labelled: list[Route | TlsRoute | Limit] = [*table.http, *table.tls, *table.ssh, *table.limits]
    for label in (*(item.label for item in labelled), *table.gate.labels, *table.gate.optional):
        _require(HOST_NAME.fullmatch(label), f"{label!r} is neither a label nor a host name")
    _check_ssh(table)
    _check_tcp(table)
    _once("the name", [route.label for route in table.http])
    _once("the name", [route.label for route in table.tls])
    _once("the name", [*(route.label for route in table.http), *(label for label, _ in table.away)])
    for label, host in table.away:
        _require(HOST_NAME.fullmatch(label), f"{label!r} is neither a label nor a host name")
        _require(host in dict(table.peers), f"{label} leads to {host}, which has no address")
    _check_links(table)
    _once("the limit of", [limit.label for limit in table.limits])
    if table.acme:
        _check_acme(table.acme)
    allowed = {port for block in table.blocks if block in SERVICE_BLOCKS for port in ports_of(block)}
    led = {**table.targets(), **{f"the stream {link.name}": link.port for link in table.links}}
    for name, port in led.items():
        first = table.pair_of(port)
        for number in {port, first or port, (first or port - 1) + 1}:
            _require(number in allowed, f"{name} leads to port {number}, which is not in a declared block")


def _check_links(table: Table) -> None:
    _once("the stream", [*(str(link.name) for link in table.links), *(str(name) for name, _ in table.far)])
    for name, host in table.far:
        _require(host in dict(table.peers), f"the stream {name} leads to {host}, which has no address")


def _check_ssh(table: Table) -> None:
    labels = [route.label for route in table.ssh]
    _once("the ssh name", labels)
    for label in labels:
        _require("." not in label, f"{label} cannot be an ssh route: it contains a dot")
        _require(label != JUMP, f"the ssh name {JUMP} belongs to the router")


def _check_tcp(table: Table) -> None:
    for tcp in table.tcp:
        _require(NAME.fullmatch(tcp.service), f"{tcp.service!r} is not the name of a service")
        _require(tcp.public in PORTS, f"{tcp.public} is not a port")
        in_blocks = block_of(tcp.public) in BLOCKS
        _require(
            not in_blocks and tcp.public not in table.own_ports,
            f"the public port {tcp.public} cannot be used for {tcp.service}",
        )
    _once("the public port", [str(tcp.public) for tcp in table.tcp])


def _check_acme(acme: Acme) -> None:
    for fault in acme.faults():
        _require(condition=False, message=fault)
    for name in acme.names:
        _require(HOST_NAME.fullmatch(name), f"{name!r} is not a host name")
    _once("the certificate of", [names[0] for names in acme.certificates])


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        _require(name not in seen, f"{what} {name} is there twice")
        seen.add(name)


def _require(condition: object, message: str) -> None:
    if not condition:
        raise UsageError(message, hint="see where it is written: darkpeak lint")
