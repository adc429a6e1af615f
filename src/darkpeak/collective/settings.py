"""What collective.toml says about people, hosts, backups, certificates and the router, as values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkpeak.vocabulary import HTTP_PORT, HTTPS_PORT, ROUTER, SSH_PORT

if TYPE_CHECKING:
    from darkpeak.collective.model import Place


@dataclass(frozen=True)
class Admin:
    """A person under [admins] in collective.toml."""

    name: str
    full_name: str = ""
    mail: str = ""
    ssh: tuple[str, ...] = ()
    board: bool = False  # whether the admin is on the collective's board


@dataclass(frozen=True)
class RouterPorts:
    """The ports on which the router listens: `[router]` of collective.toml."""

    http: int = HTTP_PORT
    https: int = HTTPS_PORT
    ssh: int = SSH_PORT
    redirect: bool = True  # whether http leads to https, for names with a certificate that everyone trusts

    @property
    def all(self) -> tuple[int, ...]:
        """All three ports."""
        return self.http, self.https, self.ssh


@dataclass(frozen=True)
class Keep:
    """How many snapshots of a service are kept: one for each of so many days, weeks and months."""

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
    """The CA from which the router gets certificates by ACME."""

    acme: str  # the address of its ACME directory
    contact: str = ""
    dns: str = ""  # the hook that proves the domain by DNS, for a wildcard certificate
    trust: str = ""  # the root certificate, in PEM, of a CA that Debian does not trust


@dataclass(frozen=True)
class Host:
    """A daemon with a name, and the services that run there; without any, it takes every service."""

    name: str
    docker: str  # its URI
    at: "Place"
    services: tuple[str, ...] = ()
    address: str = ""  # at which the routers of the other hosts reach its router; empty: it is not their peer
    ca: bool = False  # whether its router has the key of the collective's CA
    swarm: bool = False  # whether its daemon is a manager of a swarm, on which services with `replicas` run as stacks
    nodes: tuple[str, ...] = ()  # the URIs of the swarm's other daemons

    def takes(self, service: str) -> bool:
        """Return whether a service runs here when a command names no service."""
        return not self.services or service in (*self.services, ROUTER)
