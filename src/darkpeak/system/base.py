"""The base system: its packages, files, login, swap and programs. Pure; it is described only here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from darkpeak.collective.model import Collective
from darkpeak.collective.settings import RouterPorts

PACKAGES = (
    *("apparmor", "ca-certificates", "docker.io", "iptables", "nftables", "openssh-server", "unattended-upgrades"),
)
# From Debian 13 on, docker.io is only the engine; in Debian 12 and in Ubuntu it contains the client too.
CLIENT = "docker-cli"
DEBIAN, UBUNTU, BOOKWORM = "debian", "ubuntu", "bookworm"
WEB_PORTS = (80, 443)
LOGIN = "docker"
FIREWALL = "darkpeak-firewall"
DAEMON_FILE = "/etc/docker/daemon.json"
FIREWALL_FILE = "/etc/darkpeak/firewall.nft"
FIREWALL_UNIT = f"/etc/systemd/system/{FIREWALL}.service"
KEYS_FILE = "/etc/darkpeak/admins.keys"
COMMAND_FILE = "/usr/local/bin/darkpeak-docker-only"
SSHD_FILE = "/etc/ssh/sshd_config.d/darkpeak.conf"
UPGRADES_FILE = "/etc/apt/apt.conf.d/52darkpeak-upgrades"
DAEMON: Mapping[str, Any] = {
    "log-driver": "local",
    "log-opts": {"max-size": "10m", "max-file": "3"},  # of each container
    "live-restore": True,  # containers keep running while the engine is upgraded
    "userland-proxy": False,
    # Docker's own pool ends at about 30 networks; this one has 256. The blocks' subnets are not in it.
    "default-address-pools": [{"base": "10.240.0.0/16", "size": 24}],
}
SWAP_MIB = 1024

FIREWALL_TEXT = """\
# Made by darkpeak: what other machines can reach on this one. Docker's own tables are not changed.
table inet darkpeak
delete table inet darkpeak
table inet darkpeak {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "lo" accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        ip6 saddr fe80::/10 udp dport 546 accept
        tcp dport {{ {ports} }} accept
    }}
    # Engines before 28 pass on what other machines send to a container's own address, or to a port on loopback.
    chain to_container {{
        ct original ip daddr 127.0.0.0/8 drop
        ct status dnat accept
        drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        ct state established,related accept
        iifname "br-*" accept
        iifname "docker*" accept
        oifname "br-*" jump to_container
        oifname "docker*" jump to_container
    }}
}}
"""
FIREWALL_UNIT_TEXT = f"""\
[Unit]
Description=Firewall of darkpeak
Before=network-pre.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {FIREWALL_FILE}
ExecReload=/usr/sbin/nft -f {FIREWALL_FILE}
ExecStop=/usr/sbin/nft delete table inet darkpeak

[Install]
WantedBy=multi-user.target
"""
UPGRADES_TEXT = """\
// Made by darkpeak: security upgrades are installed each day.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
"""
COMMAND_TEXT = f"""\
#!/bin/sh
# Made by darkpeak: the only command of the login {LOGIN}, besides forwarding the engine's socket.
case ${{SSH_ORIGINAL_COMMAND:-}} in
*"system dial-stdio") exec docker system dial-stdio ;; # what `docker --host ssh://…` runs
esac
echo "this login is only for Docker; use it like this: darkpeak --host ssh://{LOGIN}@… status" >&2
exit 1
"""
SSHD_TEXT = f"""\
# Made by darkpeak: the admins of collective.toml control Docker as {LOGIN}, which makes them as powerful as root.
Match User {LOGIN}
    AuthorizedKeysFile {KEYS_FILE}
    AuthenticationMethods publickey
    AllowStreamLocalForwarding local
    AllowTcpForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTTY no
    PermitTunnel no
    ForceCommand {COMMAND_FILE}
"""


@dataclass(frozen=True)
class File:
    """A file of the base system; `read_by` is the unit that must read it again after a change."""

    path: str
    text: str
    why: str
    mode: int = 0o644
    read_by: str = ""


@dataclass(frozen=True)
class Wanted:
    """What a collective wants of a machine: open ports, keys that may log in, MiB of swap."""

    ports: tuple[int, ...]
    keys: tuple[str, ...] = ()
    swap: int = SWAP_MIB


def make_wanted(collective: Collective | None, swap: int = SWAP_MIB) -> Wanted:
    """Return what a collective wants: its router's ports, the public ports of its routes, its admins' keys."""
    services = collective.services if collective else ()
    admins = collective.admins if collective else ()
    router = collective.router if collective else RouterPorts()
    public = {route.public for service in services for route in service.routes.tcp}
    keys = tuple(f"{key} {admin.name}" if len(key.split()) == 2 else key for admin in admins for key in admin.ssh)  # noqa: PLR2004 (kind and key, no comment)
    return Wanted(tuple(sorted({*WEB_PORTS, *router.all, *public})), keys, swap)


def packages_of(suite: str, distribution: str = DEBIAN) -> tuple[str, ...]:
    """Return the packages of the base system in a suite; an unknown suite is treated as a newer one."""
    client = distribution == DEBIAN and suite != BOOKWORM
    return tuple(sorted((*PACKAGES, *([CLIENT] if client else []))))


def make_files(wanted: Wanted, ssh_ports: Iterable[int], daemon: str = "") -> tuple[File, ...]:
    """Return the files of the base system; `daemon` is the present daemon.json, whose other settings stay.

    Raises:
        ValueError: when `daemon` is not JSON.
    """
    ports = ", ".join(map(str, sorted({*ssh_ports, *wanted.ports})))
    files = (
        File(DAEMON_FILE, merge(daemon), "small logs, live-restore, address pools, no userland proxy", 0o644, "docker"),
        File(FIREWALL_FILE, FIREWALL_TEXT.format(ports=ports), f"open ports: {ports}", 0o644, FIREWALL),
        File(FIREWALL_UNIT, FIREWALL_UNIT_TEXT, "starts the firewall at each boot", 0o644, FIREWALL),
        File(UPGRADES_FILE, UPGRADES_TEXT, "installs security upgrades each day"),
    )
    if not wanted.keys:
        return files
    keys = "".join(f"{key}\n" for key in wanted.keys)
    return (
        *files,
        File(KEYS_FILE, keys, f"the keys that may log in as {LOGIN}: those of the admins in collective.toml"),
        File(COMMAND_FILE, COMMAND_TEXT, f"the only command of {LOGIN}", 0o755),
        File(SSHD_FILE, SSHD_TEXT, f"the login {LOGIN} is only for Docker", 0o644, "ssh"),
    )


def merge(daemon: str) -> str:
    """Return daemon.json with our settings added; it is returned unchanged if it has them.

    Where live-restore is switched off, it stays off: on the machine of a swarm, the engine would not start with it.
    """
    theirs = json.loads(daemon or "{}")
    kept = {"live-restore": False} if theirs.get("live-restore") is False else {}
    merged = {**theirs, **DAEMON, **kept}
    return daemon if merged == theirs else json.dumps(merged, indent=2) + "\n"
