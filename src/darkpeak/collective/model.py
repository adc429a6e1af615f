"""What a collective has written down, as values."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path

from darkpeak.vocabulary import (
    COMPOSE_FILE,
    DOMAIN_VARIABLE,
    HTTP_PORT,
    HTTP_VARIABLE,
    HTTPS_PORT,
    HTTPS_VARIABLE,
    ROUTER,
    SSH_PORT,
    SSH_VARIABLE,
)

KINDS = ("infrastructure", "co-op", "user")
LEVELS = ("idea", "alpha", "beta", "live")


@dataclass(frozen=True, order=True)
class Place:
    """Where something is written: a file, relative to the collective's root, and a line counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Finding:
    """One fault in the files: the rule it breaks, where, what is wrong and how to mend it."""

    at: Place
    rule: str
    what: str
    hint: str


@dataclass(frozen=True)
class Port:
    """A published port: `published` on the host's `address` leads to `target` in the container."""

    address: str
    published: range
    target: range
    at: Place
    protocol: str = "tcp"


@dataclass(frozen=True)
class Mount:
    """A mount of a container: a volume's key or a path of the host, or empty for an anonymous volume."""

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
    image: str = ""  # the name that its image has on the daemon
    content: str = ""  # hash of all that decides how it is built and run
    parts: tuple[tuple[str, str], ...] = ()  # a short hash of each file behind it, by name

    def changed_by(self, file: str, part: str) -> "Container":
        """Return the same container with one more file behind it, of which its part has this hash."""
        content = hashlib.sha256(f"{self.content} {part}".encode()).hexdigest()[:16]
        return replace(self, content=content, parts=(*self.parts, (file, part)))

    @property
    def spare_port(self) -> bool:
        """Whether old and new can run side by side: each published range has room for two."""
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
    """A network or volume with a name of its own on the daemon, defined here or relied on (external)."""

    name: str
    external: bool
    at: Place


@dataclass(frozen=True)
class Override:
    """A compose file that is laid over the service's own on one host, with a hash for each container it changes."""

    host: str
    file: str
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Routes:
    """What the router should lead to a service."""

    http: tuple[NamedRoute, ...] = ()
    tls: tuple[NamedRoute, ...] = ()  # where the service holds the certificate itself
    tcp: tuple[PortRoute, ...] = ()
    ssh: int | None = None
    plain_ssh: int | None = None
    proxy: tuple[tuple[int, Place], ...] = ()  # ports of tcp and tls routes that want the PROXY protocol
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
    certificate: str | None = None  # the container that holds a TLS certificate of its own
    containers: tuple[Container, ...] = ()
    networks: tuple[Shared, ...] = ()
    volumes: tuple[Shared, ...] = ()
    volume_keys: tuple[str, ...] = ()
    subnets: tuple[tuple[str, Place], ...] = ()
    keys: tuple[tuple[str, Place], ...] = ()  # where each key of x-darkpeak stands
    files: tuple[str, ...] = (COMPOSE_FILE,)  # its compose files, each laid over the one before
    overrides: tuple[Override, ...] = ()

    def on(self, host: str) -> "Service":
        """Return the service as it is on a host: with that host's compose file, if there is one, laid over its own."""
        override = next((item for item in self.overrides if item.host == host), None)
        if override is None:
            return self
        changes = dict(override.changes)
        containers = tuple(
            item.changed_by(override.file, changes[item.name]) if item.name in changes else item
            for item in self.containers
        )
        return replace(self, files=(COMPOSE_FILE, override.file), containers=containers)

    def key(self, name: str) -> Place:
        """Return where a key of x-darkpeak stands, or x-darkpeak itself where it is missing."""
        return dict(self.keys).get(name, self.at)

    @property
    def ports(self) -> tuple[Port, ...]:
        """All published ports of all containers."""
        return tuple(port for container in self.containers for port in container.ports)

    @property
    def shared(self) -> tuple[Shared, ...]:
        """Networks and volumes with names of their own."""
        return self.networks + self.volumes

    @property
    def owns_data(self) -> bool:
        """Whether it has a volume of its own: one that it does not share the name of from another service."""
        return len(self.volume_keys) > sum(shared.external for shared in self.volumes)

    @property
    def runs(self) -> bool:
        """Whether there is something to start: an idea has no containers yet."""
        return bool(self.containers)


@dataclass(frozen=True)
class Admin:
    """A person of collective.toml."""

    name: str
    full_name: str = ""
    mail: str = ""
    ssh: tuple[str, ...] = ()


@dataclass(frozen=True)
class RouterPorts:
    """The ports of the machine on which the router listens: `[router]` of collective.toml."""

    http: int = HTTP_PORT
    https: int = HTTPS_PORT
    ssh: int = SSH_PORT

    @property
    def all(self) -> tuple[int, ...]:
        """All of them."""
        return astuple(self)


@dataclass(frozen=True)
class Keep:
    """How many snapshots of a service are kept: the newest of each of so many days, weeks and months."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12


@dataclass(frozen=True)
class Backup:
    """Where backups go, and how many are kept."""

    repositories: tuple[str, ...] = ()
    keep: Keep = Keep()


@dataclass(frozen=True)
class Certificates:
    """From which CA, by ACME, the router gets certificates."""

    acme: str  # its directory's address
    contact: str = ""
    dns: str = ""  # the hook that proves the domain, for a certificate that holds all names below it
    trust: str = ""  # in PEM, the root of a CA that Debian does not know


@dataclass(frozen=True)
class Host:
    """A daemon with a name, and the services that run there; one without any takes what is sent to it."""

    name: str
    docker: str  # its URI
    at: Place
    services: tuple[str, ...] = ()

    def takes(self, service: str) -> bool:
        """Whether a service runs here when no service is named."""
        return not self.services or service in (*self.services, ROUTER)


@dataclass(frozen=True)
class Collective:
    """All that is written down."""

    root: Path
    name: str
    domain: str
    admins: tuple[Admin, ...] = ()
    services: tuple[Service, ...] = ()
    keep_deploys: int = 3  # of each service: the images that `rollback` can go back to
    backup: Backup = Backup()
    hosts: tuple[Host, ...] = ()
    certificates: Certificates | None = None
    router: RouterPorts = RouterPorts()

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """What compose files may use of collective.toml, by the variables' names."""
        return {
            DOMAIN_VARIABLE: self.domain,
            HTTP_VARIABLE: str(self.router.http),
            HTTPS_VARIABLE: str(self.router.https),
            SSH_VARIABLE: str(self.router.ssh),
        }

    def address(self, scheme: str, host: str) -> str:
        """Return the address of a host name at the router, by http or https; the scheme's own port is left out."""
        port = self.router.https if scheme == "https" else self.router.http
        usual = {"http": 80, "https": 443}[scheme]
        return f"{scheme}://{host}/" if port == usual else f"{scheme}://{host}:{port}/"

    def on(self, host: str) -> "Collective":
        """Return the collective as it is on a host."""
        return replace(self, services=tuple(service.on(host) for service in self.services))

    def depends_on(self, service: Service) -> tuple[str, ...]:
        """Return the names of the services whose networks or volumes this one joins, sorted."""
        wanted = {shared.name for shared in service.shared if shared.external}
        return tuple(
            sorted(
                other.name
                for other in self.services
                if other.name != service.name
                and any(not shared.external and shared.name in wanted for shared in other.shared)
            )
        )
