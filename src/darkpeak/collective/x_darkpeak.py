"""Read `x-darkpeak` and the rest of one compose file, as a Service. The keys known here are the whole schema."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from darkpeak.collective import compose
from darkpeak.collective.login import Login
from darkpeak.collective.model import (
    EVERYBODY,
    KINDS,
    LEVELS,
    SHOWN,
    UPGRADES,
    Finding,
    NamedRoute,
    Place,
    PortRoute,
    Routes,
    Service,
)
from darkpeak.collective.tree import EMPTY, Tree
from darkpeak.vocabulary import PORTS

Route = TypeVar("Route")
KEYS = (
    "about",
    "block",
    "routes",
    "admins",
    "kind",
    "level",
    "certificate",
    "login",
    "shown",
    "limits",
    "upgrade",
    "offers",
    "from",
)
ROUTE_KEYS = ("http", "tcp", "tls", "ssh", "plain-ssh", "proxy")
NUMBER = re.compile("[0-9]{1,9}")  # Python refuses to read a number of thousands of digits
OIDC, MEMBERS, OPTIONAL = "oidc", "members", "optional"
ENTER = "/.account/enter"  # of each service that the router lets members in to
GROUP = re.compile(r"[a-z0-9][a-z0-9._-]*")
CALLBACK = "/callback"  # where most clients of OpenID Connect have members come back
LOGINS = {
    OIDC: Login((CALLBACK,)),
    MEMBERS: Login((ENTER,), gate=True),
    OPTIONAL: Login((ENTER,), gate=True, optional=True),
}
PATH = re.compile(r"/[A-Za-z0-9/._~-]*")
LIMIT_KEYS = ("rate", "connections", "idle", "body")
UNITS = {  # the limits that have a unit: each unit in seconds or bytes
    "idle": {"s": 1, "m": 60, "h": 3600},
    "body": {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30},
}
LONGEST = 7 * 24 * 3600  # seconds: haproxy counts in milliseconds
LARGEST = 1 << 50


@dataclass
class Notes:
    """Collects the findings of one file while it is read."""

    file: str
    section: int = 1  # the line of x-darkpeak, for findings about missing keys
    findings: list[Finding] = field(default_factory=list)

    def place(self, line: int) -> Place:
        """Return the place of a line of this file."""
        return Place(self.file, line)

    def add(self, line: int, rule: str, what: str, hint: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(self.place(line), rule, what, hint))


def read_service(
    folder: Path, file: str, parsed: Tree, variables: Mapping[str, str]
) -> tuple[Service | None, list[Finding]]:
    """Return the service of a compose file (None if it has no `x-darkpeak`), and the findings."""
    notes = Notes(file, parsed.key_line("x-darkpeak"))
    own = parsed.mapping().get("x-darkpeak")
    if own is None or not isinstance(own.value, dict):
        line = own.line if own else 1
        notes.add(
            line, "no-x-darkpeak", "there is no x-darkpeak mapping", "write x-darkpeak: with about, block, admins"
        )
        return None, notes.findings
    known_keys(own, KEYS, "x-darkpeak", notes)
    entries = own.mapping()
    level = one_of(own, "level", LEVELS, notes)
    networks, volumes = (compose.read_shared(parsed, key, notes.place) for key in ("networks", "volumes"))
    service = Service(
        name=folder.name,
        folder=folder,
        at=notes.place(notes.section),
        project=parsed.mapping().get("name", EMPTY).text() or folder.name,
        about=text(own, "about", notes),
        kind=one_of(own, "kind", KINDS, notes),
        level=level,
        admins=read_admins(own, notes),
        block=read_block(own, level, notes),
        routes=read_routes(entries.get("routes", EMPTY), entries.get("limits", EMPTY), folder.name, notes),
        shown=one_of(own, "shown", SHOWN, notes) if "shown" in entries else EVERYBODY,
        upgrade=one_of(own, "upgrade", UPGRADES, notes) if "upgrade" in entries else UPGRADES[0],
        origin=entries["from"].text() if "from" in entries else "",
        certificate=entries["certificate"].text() if "certificate" in entries else None,
        login=read_login(entries["login"], notes) if "login" in entries else None,
        containers=compose.read_containers(folder, parsed, variables, notes.place, notes.add),
        networks=networks,
        volumes=volumes,
        subnets=compose.read_subnets(parsed, notes.place),
        keys=tuple((key, notes.place(line)) for key, line in own.key_lines),
        own_volumes=tuple((key, name) for key, name, _ in compose.read_own(parsed, "volumes", folder.name)),
        own_networks=tuple((name, subnet) for _, name, subnet in compose.read_own(parsed, "networks", folder.name)),
        uses=tuple(compose.read_uses(parsed, parsed.mapping().get("name", EMPTY).text() or folder.name, notes.place)),
        network_keys=tuple((name, key) for key, name, _ in compose.read_own(parsed, "networks", folder.name)),
        offers=read_offers(own, notes),
        volume_keys=tuple(parsed.mapping().get("volumes", EMPTY).mapping()),
    )
    return service, notes.findings


def read_routes(routes: Tree, limits: Tree, name: str, notes: Notes) -> Routes:
    """Return `routes` and `limits` of a service with this name."""
    known_keys(routes, ROUTE_KEYS, "routes", notes)
    return Routes(
        http=read_named(routes, "http", name, notes),
        tls=read_named(routes, "tls", name, notes),
        tcp=read_tcp(routes, notes),
        ssh=read_port(routes, "ssh", notes),
        plain_ssh=read_port(routes, "plain-ssh", notes),
        proxy=read_proxy(routes, notes),
        limits=read_limits(limits, notes),
    )


def known_keys(mapping: Tree, known: tuple[str, ...], where: str, notes: Notes) -> None:
    """Add a finding for each unknown key, and for a value that is not a mapping."""
    if not isinstance(mapping.value, dict):
        notes.add(mapping.line, "wrong-type", f"{where} must be a mapping", f"the known keys are {', '.join(known)}")
    for key in mapping.mapping():
        if key not in known:
            hint = f"the known keys are {', '.join(known)}"
            notes.add(mapping.key_line(key), "unknown-key", f"unknown key {key} in {where}", hint)


def text(own: Tree, key: str, notes: Notes) -> str:
    """Return a required text; empty, with a finding, if it is missing."""
    value = own.mapping().get(key)
    if value is None:
        notes.add(notes.section, "missing-key", f"{key} is missing", f"write {key}: in x-darkpeak")
        return ""
    if not value.text().strip():
        notes.add(value.line, "wrong-type", f"{key} must be text", f"write {key}: and a few words after it")
    return value.text()


def one_of(own: Tree, key: str, choices: tuple[str, ...], notes: Notes) -> str:
    """Return a required word, one of `choices`; the first of them, with a finding, if it is wrong or missing."""
    value = own.mapping().get(key)
    if value is None:
        notes.add(notes.section, "missing-key", f"{key} is missing", f"write {key}: {' or '.join(choices)}")
    elif value.text() not in choices:
        what = f"invalid {key} {value.text()!r}" if value.text() else f"{key} must be one word"
        notes.add(value.line, f"unknown-{key}", what, f"choose one of {', '.join(choices)}")
    else:
        return value.text()
    return choices[0]


def read_admins(own: Tree, notes: Notes) -> tuple[str, ...]:
    """Return the admins' names as written."""
    value = own.mapping().get("admins")
    if value is None:
        return ()
    if not isinstance(value.value, list):
        notes.add(value.line, "wrong-type", "admins must be a list", "write admins: [ada, grace]")
    return tuple(item.text() for item in value.items())


def read_block(own: Tree, level: str, notes: Notes) -> int | None:
    """Return the block's number; None if there is none, which only an idea may have."""
    value = own.mapping().get("block")
    if value is None:
        if level != "idea":
            hint = "write block: and a free number; `darkpeak ports` shows those in use"
            notes.add(notes.section, "missing-key", "block is missing", hint)
        return None
    return number(value, "block", notes)


def read_login(value: Tree, notes: Notes) -> Login | None:
    """Return `login:`: a word of LOGINS, {oidc: PATH} or [GROUP]; None, with a finding, if it is none of them."""
    hint = "write login: oidc, or login: {oidc: /callback}, with the path to which members come back"
    if value.text() in LOGINS:
        return LOGINS[value.text()]
    if isinstance(value.value, list):
        return _read_groups(value, notes)
    if set(value.mapping()) != {OIDC}:
        notes.add(value.line, "wrong-type", "login must be oidc, members, optional, or a list of groups", hint)
        return None
    written = value.mapping()[OIDC]
    paths = tuple(item.text() for item in written.items() or [written])
    for path in paths:
        if not PATH.fullmatch(path):
            notes.add(written.line, "wrong-type", f"{path!r} is not a path to which members come back", hint)
            return None
    return Login(paths)


def _read_groups(value: Tree, notes: Notes) -> Login | None:
    groups = tuple(item.text() for item in value.items())
    wrong = next((group for group in groups if not GROUP.fullmatch(group)), None)
    if wrong is None and groups:
        return Login((ENTER,), gate=True, groups=groups)
    notes.add(value.line, "wrong-type", f"login names no group of members: {wrong!r}", "write login: [cooks, admins]")
    return None


def number(value: Tree, what: str, notes: Notes) -> int | None:
    """Return a whole number; None, with a finding, if it is not a number."""
    if NUMBER.fullmatch(value.text()):
        return int(value.text())
    notes.add(value.line, "wrong-type", f"{what} must be a number", "write digits, like 6010")
    return None


def read_named(routes: Tree, kind: str, label: str, notes: Notes) -> tuple[NamedRoute, ...]:
    """Return the routes of `http: PORT` (the label is the service's name) or `http: {LABEL: PORT}`; also `tls`."""
    value = routes.mapping().get(kind)
    if value is None:
        return ()
    article = "an http route" if kind == "http" else f"a {kind} route"
    if not isinstance(value.value, dict):
        port = number(value, article, notes)
        return (NamedRoute(label, port, notes.place(value.line)),) if port else ()
    return _numbered(value, article, notes, NamedRoute)


def read_port(routes: Tree, kind: str, notes: Notes) -> int | None:
    """Return the port of a route that is only a port."""
    value = routes.mapping().get(kind)
    return number(value, f"the {kind} route", notes) if value else None


def read_proxy(routes: Tree, notes: Notes) -> tuple[tuple[int, Place], ...]:
    """Return the ports of `proxy: [PORT]`: the tcp and tls routes that use the PROXY protocol."""
    value = routes.mapping().get("proxy", EMPTY)
    if "proxy" in routes.mapping() and not isinstance(value.value, list):
        notes.add(value.line, "wrong-type", "proxy must be a list", "write proxy: [6032]")
    ports = [(number(item, "a port in proxy", notes), notes.place(item.line)) for item in value.items()]
    return tuple((port, at) for port, at in ports if port)


def read_limits(limits: Tree, notes: Notes) -> tuple[tuple[str, int], ...]:
    """Return the limits of `limits: {rate: N, connections: N, idle: 1h, body: 2G}`, in seconds and bytes."""
    known_keys(limits, LIMIT_KEYS, "limits", notes)
    found = [
        (key, amount(value, key, notes) if key in UNITS else number(value, key, notes))
        for key, value in limits.mapping().items()
        if key in LIMIT_KEYS
    ]
    return tuple((key, value) for key, value in found if value)


def amount(value: Tree, key: str, notes: Notes) -> int | None:
    """Return an amount of time or data, like 90s or 2G; None, with a finding, if it is none."""
    units, text = UNITS[key], value.text()
    hint = (
        "write a number and s, m or h, like 90s or 1h" if key == "idle" else "write a number and K, M or G, like 512M"
    )
    if not re.fullmatch(rf"[0-9]{{1,9}}[{''.join(units)}]", text, re.ASCII):
        notes.add(value.line, "wrong-type", f"{key} must be a number with a unit, and not {text!r}", hint)
        return None
    size = int(text[:-1]) * units[text[-1]]
    if not 0 < size <= (LONGEST if key == "idle" else LARGEST):
        bounds = "1s to 168h" if key == "idle" else "1K to 1048576G"
        notes.add(value.line, "limit-size", f"{key} {text} is not possible", f"write something from {bounds}")
        return None
    return size


def read_tcp(routes: Tree, notes: Notes) -> tuple[PortRoute, ...]:
    """Return the routes of `tcp: {PUBLIC: PORT}`."""
    value = routes.mapping().get("tcp")
    if value is None:
        return ()
    if not isinstance(value.value, dict):
        notes.add(value.line, "wrong-type", "tcp must be a mapping", "write tcp: {'5222': 6032}")
        return ()

    def make(public: str, port: int, at: Place) -> PortRoute:
        return PortRoute(int(public), port, at)

    for public in value.mapping():
        if not NUMBER.fullmatch(public) or int(public) not in PORTS:
            hint = "write the port that clients connect to, like 5222"
            notes.add(value.key_line(public), "wrong-type", f"{public} is not a port", hint)
            return ()
    return _numbered(value, "a tcp route", notes, make)


def read_offers(own: Tree, notes: Notes) -> tuple[tuple[int, int], ...]:
    """Return `offers: {PORT: OWN}`: ports in the service's networks, and ports of its block that lead there."""
    value = own.mapping().get("offers", EMPTY)
    if "offers" in own.mapping() and not isinstance(value.value, dict):
        notes.add(value.line, "wrong-type", "offers must be a mapping", "write offers: {'636': 6021}")
    found = []
    for key, child in value.mapping().items():
        if not NUMBER.fullmatch(key) or int(key) not in PORTS:
            what = f"{key} is not a port"
            notes.add(
                value.key_line(key), "wrong-type", what, "write the port that other services connect to, like 636"
            )
        elif port := number(child, "what is offered", notes):
            found.append((int(key), port))
    return tuple(found)


def _numbered(value: Tree, what: str, notes: Notes, make: Callable[[str, int, Place], Route]) -> tuple[Route, ...]:
    routes = []
    for key, child in value.mapping().items():
        port = number(child, what, notes)
        if port:
            routes.append(make(key, port, notes.place(value.key_line(key))))
    return tuple(routes)
