"""Gather the facts for doctor's checks: from the engine's API, and from three short containers on its machine.

The containers see the machine's disk, memory, ports, processes and firewall. They mount nothing. Only the one that asks
for the firewall has a capability, without which the kernel does not answer.
"""

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from darkpeak import process
from darkpeak.collective.model import Collective
from darkpeak.engine.endpoint import is_open_to_all
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.network import resolve
from darkpeak.plan.facts import Facts, HostMachine, Network, Published
from darkpeak.vocabulary import PROJECT_LABEL

HARMLESS = ("--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pull=never")
LOOKS = ("df -Pk /", "df -Pi /", "cat /proc/meminfo", "cat /proc/net/tcp /proc/net/tcp6", "cat /proc/net/route")
LOOK = "; echo; ".join(LOOKS)
# If Docker runs a proxy for this container's port, the machine has a process for it.
PROXIED = """\
address=$(hostname -i)
for process in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <"$process"; echo; done 2>/dev/null |
    grep -c "^[^ ]*docker-proxy .*$address "
"""
# Ask the kernel for our firewall's chain, by netlink: 0xA04 is NFT_MSG_GETCHAIN of nf_tables, 0xA03 the answer.
FIREWALL = r"""
sub attribute { pack "SSZ*x!4", 5 + length $_[1], @_ }
my $asked = pack("CCn", 1, 0, 0) . attribute(1, "darkpeak") . attribute(3, "forward");
socket my $kernel, 16, 3, 12 or die "no netlink: $!\n";
send $kernel, pack("LSSLL", 16 + length $asked, 0xA04, 1, 1, 0) . $asked, 0, pack("SSLL", 16, 0, 0, 0) or die "$!\n";
recv $kernel, my $answer, 8192, 0;
my ($type, $error) = unpack "x4Sx10l", $answer;
die "the firewall cannot be read\n" if $type == 2 && $error == -1;
print $type == 0xA03 ? "guarded" : "open";
"""
LISTENING = "0A"
BRIDGES = ("br-", "docker", "lo")
WIDEST_ROUTE = 8  # routes with a shorter prefix are parts of a default route
PROBE_LABEL = "doctor"


def gather(engine: Engine, collective: Collective | None) -> Facts:
    """Return the facts of a daemon, also if it does not answer."""
    plugin = _plugin()
    resolved = resolve(f"{PROBE_LABEL}.{collective.domain}") if collective else ()
    try:
        known = _ask(engine, collective)
    except SystemFailure as error:
        hint = error.hint or "see more: darkpeak -v status"
        return Facts(engine.name, plugin, failure=error.message, failure_hint=hint, resolved=resolved)
    return Facts(daemon=engine.name, compose=plugin, resolved=resolved, **known)


def _plugin() -> str:
    """Return the version of the compose plugin on this machine, empty if there is none."""
    try:
        shown = process.run(("docker", "compose", "version", "--short"))
    except SystemFailure:
        return ""
    return "" if shown.code else shown.text.strip()


def _ask(engine: Engine, collective: Collective | None) -> dict[str, Any]:
    """Return the facts of an engine that answers, and of its machine."""
    before = time.time()
    info = engine.info()
    after = time.time()
    observed = engine.observe()
    services = collective.services if collective else ()
    looked = _look(engine)
    swarm = (info.get("Swarm") or {}).get("LocalNodeState")
    return {
        **looked,
        "engine": info["ServerVersion"],
        "open_to_all": is_open_to_all(engine.endpoint.uri, engine.endpoint.tls),
        "memory_total": info["MemTotal"],
        "clock_ahead": read_clock(info["SystemTime"]) - (before + after) / 2,
        "networks": tuple(sorted(map(read_network, engine.networks()), key=lambda network: network.name)),
        "live_restore": bool(info.get("LiveRestoreEnabled")),
        "swarm": swarm == "active",
        "pools": tuple((pool["Base"], pool["Size"]) for pool in info.get("DefaultAddressPools") or ()),
        "present": frozenset(service.name for service in services if observed.of(service.project)),
        "published": tuple(sorted(one for item in engine.running() for one in read_published(item))),
    }


def _look(engine: Engine) -> dict[str, Any]:
    """Run the containers; return the machine, whether there are a proxy and a firewall, and why that is unknown."""
    image = _image(engine)
    if not image:
        return {"unknown": "the daemon has no image for this check"}
    arguments: Sequence[tuple[str, ...]] = (
        ("--network=host", image, "sh", "-c", LOOK),
        ("--pid=host", "--publish=127.0.0.1::9", image, "sh", "-c", PROXIED),
        ("--network=host", "--cap-add=NET_ADMIN", "--user=0", image, "perl", "-e", FIREWALL),
    )
    with ThreadPoolExecutor(len(arguments)) as pool:
        look, proxied, firewall = pool.map(lambda words: engine.docker("run", *HARMLESS, *words), arguments)
    counted = proxied.stdout.strip()
    return {
        "machine": read_machine(look.text) if not look.code else None,
        "proxy": int(counted) > 0 if counted.isdigit() else None,
        "guarded": {b"guarded": True, b"open": False}.get(firewall.stdout.strip()),
        "unknown": next((result.last_line() for result in (look, proxied, firewall) if result.code), ""),
    }


def _image(engine: Engine) -> str:
    """Return the name of an image with a shell: Debian's, or one of ours, which are built from it; empty if none."""
    names = engine.image_names()
    return next((name for prefix in ("debian:", "darkpeak-") for name in names if name.startswith(prefix)), "")


def read_machine(output: str) -> HostMachine | None:
    """Return the machine from the output of the first container; None if it cannot be read."""
    parts = output.split("\n\n")
    if len(parts) != len(LOOKS):
        return None
    disk, inodes, memory, sockets, routes = (part.strip().splitlines() for part in parts)
    _, total, _, free, *_ = disk[-1].split()
    used = inodes[-1].split()[4].rstrip("%")
    available = next((line.split()[1] for line in memory if line.startswith("MemAvailable:")), "0")
    rows = [line.split() for line in sockets]
    return HostMachine(
        disk_free=int(free) * 1024,
        disk_total=int(total) * 1024,
        inodes_free=100 - int(used) if used.isdigit() else 100,
        memory_free=int(available) * 1024,
        listening=frozenset(int(row[1].rpartition(":")[2], 16) for row in rows if row[3:4] == [LISTENING]),
        routes=tuple(_read_routes(routes)),
    )


def _read_routes(lines: Sequence[str]) -> list[str]:
    found = []
    for line in lines[1:]:
        device, destination, _, _, _, _, _, mask, *_ = line.split()
        address, bits = (IPv4Address(bytes.fromhex(word)[::-1]) for word in (destination, mask))
        network = IPv4Network((address, str(bits)))
        if not device.startswith(BRIDGES) and network.prefixlen >= WIDEST_ROUTE:
            found.append(str(network))
    return sorted(set(found))


def read_network(item: dict[str, Any]) -> Network:
    """Return a network from the engine's description."""
    pools = (item.get("IPAM") or {}).get("Config") or ()
    subnets = tuple(pool["Subnet"] for pool in pools if pool.get("Subnet"))
    return Network(item["Name"], (item.get("Labels") or {}).get(PROJECT_LABEL, ""), subnets)


def read_published(item: dict[str, Any]) -> Iterator[Published]:
    """Yield the published ports of a container, from the engine's list, at its address in the network that has them."""
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    ports = {(port["PrivatePort"], port["Type"]) for port in item.get("Ports") or () if port.get("PublicPort")}
    # The engine publishes in the first network by name.
    for name in sorted(networks)[:1]:
        for address in filter(None, (networks[name].get("IPAddress"), networks[name].get("GlobalIPv6Address"))):
            shown = f"[{address}]" if ":" in address else address
            yield from (Published(item["Labels"].get(PROJECT_LABEL, ""), shown, *port) for port in sorted(ports))


def read_clock(written: str) -> float:
    """Return the engine's time, which it writes with nanoseconds, in seconds since 1970."""
    found = re.fullmatch(r"([^.]+)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", written)
    return datetime.fromisoformat(f"{found[1]}{found[2] or ''}{found[3]}").timestamp() if found else time.time()
