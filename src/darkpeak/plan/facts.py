"""Facts about a daemon and its machine, as values. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Network


@dataclass(frozen=True)
class Network:
    """A network on the daemon: its compose project (empty if it has none) and its subnets."""

    name: str
    project: str
    subnets: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Published:
    """A published port of a running container, at the container's own address."""

    project: str
    address: str
    port: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        udp = "" if self.protocol == "tcp" else f"/{self.protocol}"
        return f"{self.address}:{self.port}{udp}"


@dataclass(frozen=True)
class HostMachine:
    """The daemon's machine, as a container there sees it."""

    disk_free: int
    disk_total: int
    inodes_free: int  # per cent
    memory_free: int
    listening: frozenset[int]  # TCP ports, on any address
    routes: tuple[str, ...]  # subnets that it does not reach over Docker's own bridges


@dataclass(frozen=True)
class Facts:
    """All facts for the checks. Unknown facts are None, and `unknown` says why."""

    daemon: str
    compose: str  # the plugin's version on this machine, empty when there is none
    failure: str = ""  # why the daemon does not answer
    failure_hint: str = ""
    open_to_all: bool = False
    engine: str = ""
    memory_total: int = 0
    clock_ahead: float = 0.0  # seconds by which the daemon's clock is ahead of ours
    networks: tuple[Network, ...] = ()
    pools: tuple[tuple[str, int], ...] = ()
    live_restore: bool = True  # containers run on while the engine does not
    swarm: bool = False  # the engine is in a swarm, which refuses live-restore
    present: frozenset[str] = frozenset()  # services that have containers there
    machine: HostMachine | None = None
    proxy: bool | None = None
    published: tuple[Published, ...] = ()
    guarded: bool | None = None  # whether the firewall of `host prepare` protects the containers' own addresses
    unknown: str = ""
    resolved: tuple[str, ...] = ()  # addresses of a name below the domain, by this machine's C library


def overlap(one: str, other: str) -> bool:
    """Return whether two IPv4 networks overlap."""
    if ":" in one or ":" in other:
        return False
    try:
        return IPv4Network(one, strict=False).overlaps(IPv4Network(other, strict=False))
    except ValueError:
        return False
