"""What a collective's files say, as values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from darkpeak.collective.dockerfile import NOT_BUILT, Dockerfile
from darkpeak.collective.login import Login
from darkpeak.collective.settings import Admin, Backup, Certificates, Host, RouterPorts
from darkpeak.result import display
from darkpeak.vocabulary import (
    ACCOUNT,
    COMPOSE_FILE,
    DOMAIN_VARIABLE,
    HTTP_VARIABLE,
    HTTPS_VARIABLE,
    LOGIN_VOLUME,
    SSH_VARIABLE,
)

KINDS = ("infrastructure", "co-op", "user")
LEVELS = ("idea", "alpha", "beta", "live")
MEMBERS, EVERYBODY = SHOWN = ("members", "everybody")  # who sees a service on the pages
BY_HAND, AUTO = UPGRADES = ("by-hand", "auto")  # who upgrades outdated packages: an admin, or `nightly`


@dataclass(frozen=True, order=True)
class Place:
    """Where something is written: a file, relative to the collective's root, and a line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{display(self.file)}:{self.line}"

    @property
    def service(self) -> str:
        """The service whose folder has the file; empty for a file of the whole collective."""
        top, _, rest = self.file.partition("/")
        return rest.partition("/")[0] if top == "services" else ""


@dataclass(frozen=True, order=True)
class Finding:
    """One fault in the files: where it is, the rule that it breaks, what is wrong, and how to fix it."""

    at: Place
    rule: str
    what: str
    hint: str

    def __post_init__(self) -> None:
        """Make its words printable: they can name what a stranger wrote, such as codes that clear the terminal."""
        for name in ("what", "hint"):
            object.__setattr__(self, name, display(getattr(self, name)))


@dataclass(frozen=True)
class Port:
    """A published port: `published` on the host's `address` leads to `target` in the container."""

    address: str
    published: range
    target: range
    at: Place
    protocol: str = "tcp"

    @property
    def pair(self) -> bool:
        """Whether the engine chooses one of two ports, maybe another one at each start of the container."""
        return len(self.published) == 2 and len(self.target) == 1  # noqa: PLR2004 (a pair)


@dataclass(frozen=True)
class Mount:
    """A mount of a container; `source` is a volume's key, a path on the host, or empty for an anonymous volume."""

    source: str
    target: str
    at: Place


@dataclass(frozen=True)
class Container:
    """One entry of a compose file's `services`."""

    name: str
    at: Place
    build: str | None = None
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    host_network: bool = False
    healthcheck: bool = False
    ends: bool = False  # it is meant to end: it does its work once, and runs again only when it has changed
    awaited: bool = False  # another container waits for its end
    depends_on: tuple[str, ...] = ()
    replicas: str = ""  # as in the compose file (`deploy`); empty if it says nothing
    restart: str = ""  # as in the compose file; empty if it sets none
    image: str = ""  # the name that its image has on the daemon
    named: str = ""  # its own name on the daemon; empty if compose names it
    content: str = ""  # a hash of all that decides how it is built and run
    parts: tuple[tuple[str, str], ...] = ()  # a short hash of each file that it is built from, by name
    dockerfile: Dockerfile = NOT_BUILT

    def changed_by(self, file: str, part: str) -> "Container":
        """Return the same container with one more file that it depends on; `part` is a hash of that."""
        content = hashlib.sha256(f"{self.content} {part}".encode()).hexdigest()[:16]
        return replace(self, content=content, parts=(*self.parts, (file, part)))

    @property
    def spare_port(self) -> bool:
        """Whether old and new can run side by side: each published range of ports has room for both."""
        return bool(self.ports) and all(len(port.published) > len(port.target) for port in self.ports)


@dataclass(frozen=True, order=True)
class NamedRoute:
    """Host names that begin with `label` lead to this port on the service's loopback address.

    A label with a dot is one whole host name, of any domain.
    """

    label: str
    port: int
    at: Place

    def host(self, domain: str) -> str:
        """Return the host name, in a collective of this domain."""
        return self.label if "." in self.label else f"{self.label}.{domain}"


@dataclass(frozen=True, order=True)
class PortRoute:
    """The router's public port leads to this port on the service's loopback address."""

    public: int
    port: int
    at: Place


@dataclass(frozen=True)
class Shared:
    """A network or volume that other services can use: defined by this one, or by another (external)."""

    name: str
    external: bool
    at: Place


@dataclass(frozen=True)
class Use:
    """A volume or a network that a compose file names: by its name on the engine."""

    noun: str  # "volume" or "network"
    name: str
    at: Place


@dataclass(frozen=True)
class Override:
    """A second compose file for one host, with a hash for each container that it changes."""

    host: str
    file: str
    changes: tuple[tuple[str, str], ...] = ()
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Routes:
    """The routes that lead to a service."""

    http: tuple[NamedRoute, ...] = ()
    tls: tuple[NamedRoute, ...] = ()  # where the service holds the certificate itself
    tcp: tuple[PortRoute, ...] = ()
    ssh: int | None = None
    plain_ssh: int | None = None
    proxy: tuple[tuple[int, Place], ...] = ()  # ports of tcp and tls routes that use the PROXY protocol
    limits: tuple[tuple[str, int], ...] = ()

    @property
    def named(self) -> tuple[NamedRoute, ...]:
        """The routes by host name."""
        return (*self.http, *self.tls)

    def __bool__(self) -> bool:
        return bool(self.http or self.tls or self.tcp or self.ssh or self.plain_ssh)


@dataclass(frozen=True)
class Service:
    """One folder of `services/`."""

    name: str
    folder: Path
    at: Place
    project: str = ""
    about: str = ""
    kind: str = "user"
    level: str = "idea"
    admins: tuple[str, ...] = ()
    block: int | None = None
    routes: Routes = Routes()
    upgrade: str = BY_HAND
    origin: str = ""  # where in the catalogue its files came from, and of which version: services/wiki 0.1.0
    certificate: str | None = None  # the container that keeps a TLS certificate
    login: Login | None = None
    shown: str = EVERYBODY  # who sees it on the pages
    containers: tuple[Container, ...] = ()
    networks: tuple[Shared, ...] = ()
    volumes: tuple[Shared, ...] = ()
    volume_keys: tuple[str, ...] = ()
    own_volumes: tuple[tuple[str, str], ...] = ()  # key, its name on the daemon; without external ones
    own_networks: tuple[tuple[str, str], ...] = ()  # its name on the daemon, its subnet; without external ones
    subnets: tuple[tuple[str, Place], ...] = ()
    keys: tuple[tuple[str, Place], ...] = ()  # the place of each key of x-darkpeak
    files: tuple[str, ...] = (COMPOSE_FILE,)  # its compose files, in the order in which compose merges them
    overrides: tuple[Override, ...] = ()
    network_keys: tuple[tuple[str, str], ...] = ()  # of these networks: its name on the daemon, its key
    offers: tuple[tuple[int, int], ...] = ()  # ports in its networks, and of its block, for services on other hosts
    uses: tuple[Use, ...] = ()  # all volumes and networks, without those of the overrides
    stacked: bool = False  # it runs as a stack on a swarm, and not as containers of compose

    def on(self, host: str, *, swarm: bool = False) -> "Service":
        """Return the service as it is on a host: with the compose file for that host, and as a stack on a swarm."""
        stacked = swarm and any(one.replicas for one in self.containers)
        override = next((item for item in self.overrides if item.host == host), None)
        if override is None:
            return replace(self, stacked=stacked)
        changes, own = dict(override.changes), self.containers
        containers = tuple(
            item.changed_by(override.file, changes[item.name]) if item.name in changes else item for item in own
        )
        return replace(self, files=(*self.files, override.file), containers=containers, stacked=stacked)

    def key(self, name: str) -> Place:
        """Return the place of a key of x-darkpeak, or of x-darkpeak itself if the key is missing."""
        return dict(self.keys).get(name, self.at)

    @property
    def login_mounts(self) -> Mapping[str, str]:
        """The containers that have the volume with what the login page tells the service, and where."""
        mounts = ((item.name, mount) for item in self.containers for mount in item.mounts)
        return {name: mount.target for name, mount in mounts if mount.source == LOGIN_VOLUME}

    @property
    def ports(self) -> tuple[Port, ...]:
        """All published ports of all containers."""
        return tuple(port for container in self.containers for port in container.ports)

    @property
    def shared(self) -> tuple[Shared, ...]:
        """The networks and volumes that several services can use."""
        return self.networks + self.volumes

    @property
    def owns_data(self) -> bool:
        """Whether it defines a volume, and does not only use those of other services."""
        return len(self.volume_keys) > sum(shared.external for shared in self.volumes)

    @property
    def runs(self) -> bool:
        """Whether it has containers; an idea has none yet."""
        return bool(self.containers)


@dataclass(frozen=True)
class Collective:
    """All that the collective's files say."""

    root: Path
    name: str
    domain: str
    admins: tuple[Admin, ...] = ()
    services: tuple[Service, ...] = ()
    keep_deploys: int = 3  # of each service, for `rollback`
    backup: Backup = field(default_factory=Backup)
    hosts: tuple[Host, ...] = ()
    certificates: Certificates | None = None
    router: RouterPorts = field(default_factory=RouterPorts)
    here: str = ""  # the host in [hosts] on which it is looked at; empty: the default daemon
    id: str = ""  # made by the first `up`; empty before
    unread: tuple[Finding, ...] = ()  # because of which a folder of services/ could not be read as a service
    faults: tuple[Finding, ...] = ()  # each stops the deploy of the service in whose folder it is, and of no other

    @cached_property
    def unsound(self) -> frozenset[str]:
        """The services whose own files have faults: they are not deployed, and what runs of them stays as it is."""
        return frozenset(fault.at.service for fault in self.faults)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """The variables that compose files may use, with their values from collective.toml."""
        return {
            DOMAIN_VARIABLE: self.domain,
            HTTP_VARIABLE: str(self.router.http),
            HTTPS_VARIABLE: str(self.router.https),
            SSH_VARIABLE: str(self.router.ssh),
        }

    @property
    def leads_to_https(self) -> bool:
        """Whether http leads to https, for names with a certificate that everyone trusts."""
        return self.certificates is not None and self.router.redirect

    def address(self, scheme: str, host: str) -> str:
        """Return the URL of a host name at the router, by http or https; the scheme's default port is left out."""
        port = self.router.https if scheme == "https" else self.router.http
        usual = {"http": 80, "https": 443}[scheme]
        return f"{scheme}://{host}/" if port == usual else f"{scheme}://{host}:{port}/"

    def on(self, host: str) -> "Collective":
        """Return the collective as it is on a host."""
        swarm = any(known.name == host and known.swarm for known in self.hosts)
        services = tuple(service.on(host, swarm=swarm) for service in self.services)
        return replace(self, services=services, here=host)

    def depends_on(self, service: Service) -> tuple[str, ...]:
        """Return the names of the services whose networks or volumes this one uses, and of its login page, sorted."""
        wanted = (shared.name for shared in service.shared if shared.external)
        found = {other for name in wanted for other in self._definers.get(name, ())}
        page = {item.name for item in self.services if item.name == ACCOUNT and service.login}
        return tuple(sorted((found | page) - {service.name}))

    @cached_property
    def _definers(self) -> Mapping[str, list[str]]:
        """The services that define each shared network and volume, by its name."""
        found: dict[str, list[str]] = {}
        for name, shared in ((service.name, shared) for service in self.services for shared in service.shared):
            if not shared.external:
                found.setdefault(shared.name, []).append(name)
        return found

    @cached_property
    def by_project(self) -> "Mapping[str, Service]":
        """The services by their project names."""
        return {service.project: service for service in reversed(self.services)}
