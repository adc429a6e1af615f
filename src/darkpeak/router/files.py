"""The router's files: written from a table, read back, compared by lines. Pure: the same table, the same bytes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from darkpeak.router.acme import parse_acme
from darkpeak.router.routes import Gate, Limit, Link, Route, Table, TcpRoute, TlsRoute, check

TABLES = (
    "domains.lst",
    "http.map",
    "hosts.map",
    "tls.map",
    "ssh.map",
    "tcp.map",
    "rate.map",
    "connections.map",
    "idle.map",
    "body.map",
    "members.map",
    "away.map",
    "peers.map",
    "links.map",
    "far.map",
    "tls.cfg",
    "tcp.cfg",
    "certificates.lst",
    "trust.pem",
    "probed.map",
    "account.pem",
    "account-next.pem",
)
PROBED = "probed.map"
MEMBERS = "members.map"
ONLY, ALSO = 1, 2  # in that file: for members only, and for others too
AWAY, PEERS = "away.map", "peers.map"
LINKS, FAR = "links.map", "far.map"
KEYS = ("account.pem", "account-next.pem")
YOUNG = {PROBED, MEMBERS, AWAY, PEERS, LINKS, FAR, *KEYS}  # an older router does not have them
PAIRS = "pairs.map"  # which port of a pair was led to last; haproxy itself finds the other one, so it cannot drift
PROXY = "/proxy"
PAIR = re.compile(r" (\d+)-\d+(?:/proxy)?$", re.MULTILINE)
FAR_PORT = re.compile(r'bind "0\.0\.0\.0:(\d+)" name (\d+)$', re.MULTILINE)
TO_PORTS = ("http.map", "hosts.map", "tls.map", "ssh.map", "tcp.map", "links.map")
LIMITS: Mapping[str, Callable[[Limit], int]] = {  # each has a map
    "rate": lambda limit: limit.rate,
    "connections": lambda limit: limit.connections,
    "idle": lambda limit: limit.idle,
    "body": lambda limit: limit.body,
}
ANY = "*"  # the key in ssh.map for plain ssh


@dataclass(frozen=True, order=True)
class Drift:
    """One line that the router has and should not have, or that it lacks."""

    table: str
    line: str
    running: bool  # in the running process, and not in the files
    missing: bool  # the router lacks it

    def __str__(self) -> str:
        where = "the running router" if self.running else "the router's files"
        return f"{where}: {self.table}: {'lacks' if self.missing else 'has'} {self.line!r}"


def render(table: Table) -> dict[str, bytes]:
    """Return the router's files.

    Raises:
        UsageError: when a route is not allowed.
    """
    check(table)
    tcp = sorted(table.tcp)
    limits = sorted(table.limits)
    return {
        "domains.lst": _lines(f".{domain}" for domain in set(table.domains)),
        "http.map": _lines(f"{route.label} {table.ports(route.port)}" for route in table.http if not route.whole),
        "hosts.map": _lines(f"{route.label} {table.ports(route.port)}" for route in table.http if route.whole),
        "tls.map": _lines(_tls(table)),
        "ssh.map": _lines(_ssh(table)),
        "tcp.map": _lines(f"{route.name} {_target(table, route)}" for route in tcp),
        **{f"{kind}.map": _lines(_limited(limits, kind)) for kind in LIMITS},
        MEMBERS: _lines(_gated(table.gate)),
        "tls.cfg": _variables(TLS_ROUTES=table.tls or table.links, MEMBERS=table.gate.labels or table.gate.optional),
        AWAY: _lines(f"{label} {host}" for label, host in table.away),
        PEERS: _lines(f"{host} {address}" for host, address in table.peers),
        LINKS: _lines(f"{link.name} {table.ports(link.port)}{PROXY * link.proxy}" for link in table.links),
        FAR: _lines(f"{name} {host}" for name, host in table.far),
        **dict(zip(KEYS, map(str.encode, table.gate.keys or ("", "")), strict=True)),
        "tcp.cfg": _frontend(tcp) + _far_frontend(table),
        "certificates.lst": _lines(table.acme.lines() if table.acme else ()),
        "trust.pem": table.acme.trust.encode() if table.acme else b"",
        PROBED: _lines(f"{route.label} {table.ports(route.port)}" for route in table.probed),
        PAIRS: _lines({f"{table.ports(port)} {port}" for port in table.led if table.pair_of(port)}),
    }


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _variables(**used: object) -> bytes:
    """Return the haproxy section that says which parts of haproxy.cfg are used."""
    return "".join(["global\n", *(f"  setenv {name} {int(bool(value))}\n" for name, value in used.items())]).encode()


def _target(table: Table, route: TcpRoute | TlsRoute) -> str:
    return f"{table.ports(route.port)}{PROXY * route.proxy}"


def _tls(table: Table) -> Iterable[str]:
    """Yield a line for each whole host name, since TLS sends whole names."""
    for route in table.tls:
        hosts = [route.label] if "." in route.label else [f"{route.label}.{domain}" for domain in table.domains]
        yield from (f"{host} {_target(table, route)}" for host in hosts)


def _ssh(table: Table) -> Iterable[str]:
    yield from (f"{route.label} {table.ports(route.port)}" for route in table.ssh)
    if table.plain_ssh:
        yield f"{ANY} {table.ports(table.plain_ssh)}"


def _limited(limits: list[Limit], kind: str) -> Iterable[str]:
    """Yield a line for each name that has a limit of this kind."""
    numbers = ((limit.label, LIMITS[kind](limit)) for limit in limits)
    return (f"{label} {number}" for label, number in numbers if number)


def _frontend(routes: list[TcpRoute]) -> bytes:
    """Return the haproxy section that opens the public ports; tcp.map has the port that each leads to."""
    if not routes:
        return b""
    lines = ["frontend tcp from ports"]
    lines += [f'  bind "0.0.0.0:{route.public}" name {route.name}' for route in routes]
    lines += [".if defined(IPV6)"]
    lines += [f'  bind "[::]:{route.public}" v6only name {route.name}' for route in routes]
    lines += [".endif", f"  acl proxy var(sess.to) -m end {PROXY}", "  acl pair var(sess.to) -m sub -- -"]
    lines += ["  use_backend port-pairs-proxy if pair proxy", "  use_backend port-pairs if pair"]
    lines += ["  use_backend ports-proxy if proxy", "  default_backend ports"]
    return "".join(f"{line}\n" for line in lines).encode()


def _far_frontend(table: Table) -> bytes:
    """Return the haproxy section that opens the public ports of services on other hosts."""
    ports = sorted(table.far_tcp)
    lines = ["frontend far-tcp from ports", *(f'  bind "0.0.0.0:{public}" name {name}' for public, name in ports)]
    lines += [".if defined(IPV6)", *(f'  bind "[::]:{public}" v6only name {name}' for public, name in ports), ".endif"]
    return "".join(f"{line}\n" for line in (*lines, "  default_backend far") if ports).encode()


def parse(files: Mapping[str, bytes]) -> Table:
    """Return the table in files. Lines that cannot be read are left out; `find_drift` shows them."""
    domains = tuple(sorted(line[1:] for line in lines(files, "domains.lst") if line.startswith(".")))
    http = (Route(name, port) for table in ("http.map", "hosts.map") for name, port, _ in _entries(files, table))
    ssh = {name: port for name, port, _ in _entries(files, "ssh.map")}
    plain = ssh.pop(ANY, 0)
    tls = {TlsRoute(_shorten(name, domains), port, proxy) for name, port, proxy in _entries(files, "tls.map")}
    tcp = (_tcp(*entry) for entry in _entries(files, "tcp.map"))
    return Table(
        domains=domains,
        http=tuple(sorted(http)),
        tcp=tuple(sorted(route for route in tcp if route)),
        tls=tuple(sorted(tls)),
        ssh=tuple(Route(name, port) for name, port in sorted(ssh.items())),
        plain_ssh=plain,
        limits=_limits(files),
        gate=_gate(files),
        away=_pairs(files, AWAY),
        peers=_pairs(files, PEERS),
        links=tuple(Link(int(name), port, proxy) for name, port, proxy in _entries(files, LINKS) if name.isdecimal()),
        far_tcp=tuple((int(public), int(name)) for public, name in FAR_PORT.findall(_text(files, "tcp.cfg"))),
        far=tuple((int(name), host) for name, host in _pairs(files, FAR) if name.isdecimal()),
        probed=tuple(Route(name, port) for name, port, _ in _entries(files, PROBED)),
        acme=parse_acme(lines(files, "certificates.lst"), _text(files, "trust.pem")),
        pairs=tuple(sorted({int(found[1]) for name in TO_PORTS for found in PAIR.finditer(_text(files, name))})),
    )


def _entries(files: Mapping[str, bytes], name: str) -> list[tuple[str, int, bool]]:
    """Return name, port (of a pair: the one led to last), and whether the PROXY protocol is used, of each line."""
    led = {pair: port for pair, _, port in (line.partition(" ") for line in lines(files, PAIRS)) if port.isdecimal()}
    split = (line.partition(" ") for line in lines(files, name))
    found = [(key, target.removesuffix(PROXY), target.endswith(PROXY)) for key, _, target in split if key]
    ports = [(key, led.get(target, target.partition("-")[0]), proxy) for key, target, proxy in found]
    return [(key, int(port), proxy) for key, port, proxy in ports if port.isdecimal()]


def _pairs(files: Mapping[str, bytes], name: str) -> tuple[tuple[str, str], ...]:
    split = (line.partition(" ") for line in sorted(lines(files, name)))
    return tuple((key, value) for key, _, value in split if value)


def _shorten(host: str, domains: tuple[str, ...]) -> str:
    """Return only the label of a host name that is below one of our domains."""
    label, _, domain = host.partition(".")
    return label if domain in domains else host


def _tcp(name: str, port: int, proxy: bool) -> TcpRoute | None:  # noqa: FBT001 (as the file has it)
    service, _, public = name.partition(":")
    return TcpRoute(int(public), port, service, proxy) if public.isdecimal() else None


def _limits(files: Mapping[str, bytes]) -> tuple[Limit, ...]:
    found: dict[str, dict[str, int]] = {}
    for kind in LIMITS:
        for label, number, _ in _entries(files, f"{kind}.map"):
            found.setdefault(label, {})[kind] = number
    return tuple(Limit(label, **found[label]) for label in sorted(found))


def _gate(files: Mapping[str, bytes]) -> Gate:
    keys = tuple(_text(files, name) for name in KEYS)
    found = [(label, number) for label, number, _ in _entries(files, MEMBERS)]
    only, optional = (tuple(sorted(label for label, number in found if number == kind)) for kind in (ONLY, ALSO))
    return Gate(only, keys if all(keys) else (), optional)


def _gated(gate: Gate) -> Iterator[str]:
    yield from (f"{label} {ONLY}" for label in gate.labels)
    yield from (f"{label} {ALSO}" for label in gate.optional)


def lines(files: Mapping[str, bytes], name: str) -> list[str]:
    """Return a file's lines; none if there is no such file."""
    return _text(files, name).splitlines()


def _text(files: Mapping[str, bytes], name: str) -> str:
    return files.get(name, b"").decode(errors="replace")


def find_drift(wanted: Mapping[str, bytes], found: Mapping[str, bytes], *, running: bool) -> list[Drift]:
    """Return the lines in which two sets of tables differ."""
    drift = []
    for table in TABLES:
        want, have = set(lines(wanted, table)), set(lines(found, table))
        drift += [Drift(table, line, running, missing=True) for line in want - have]
        drift += [Drift(table, line, running, missing=False) for line in have - want]
    return sorted(drift)


def moved(wanted: Mapping[str, bytes], running: Mapping[str, bytes]) -> bool:
    """Return whether a running router leads to another port of a pair than it should."""
    return bool(set(lines(wanted, PAIRS)) - set(lines(running, PAIRS)))


def as_running(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the tables that a router with these files reports, which differ from the files in some lines."""
    ports = _lines(line.split()[0] for line in lines(files, "tcp.map"))
    passing = b"".join(re.findall(rb"TLS_ROUTES (.*\n)", files.get("tls.cfg", b"")))
    untold = dict.fromkeys(("certificates.lst", "trust.pem", PROBED, *KEYS), b"")
    return {**files, "tcp.cfg": ports, "tls.cfg": passing, **untold}
