"""The slots of test hosts on the machine: each has a number, a lock, a folder, an address and NAT rules.

The kernel releases the lock when its holder dies. If a slot's lock is free, no host uses the slot, and everything with
its name is left from a dead run. Addresses are in 198.18.0.0/15, which no real network uses.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.commands import run

LAB = Path("/var/lib/darkpeak-test")
SLOTS = 32
CONTAINER_NETWORKS = "198.19.0.0/16"


@dataclass(frozen=True)
class Slot:
    """The names and addresses of one test host."""

    number: int

    @property
    def name(self) -> str:
        """The name of the host and of its rules."""
        return f"darkpeak-test-{self.number}"

    @property
    def folder(self) -> Path:
        """The folder of this host's files; it is removed with the host."""
        return LAB / str(self.number)

    @property
    def kept(self) -> Path:
        """The folder of engine data that stays when a host with `keep` ends."""
        return LAB / f"{self.number}.kept"

    @property
    def link(self) -> str:
        """The outer end of its cable; the inner end is eth0."""
        return f"dpt{self.number}"

    @property
    def gateway(self) -> str:
        """The address of the outer end."""
        return f"198.18.{self.number}.1"

    @property
    def address(self) -> str:
        """The host's own address."""
        return f"198.18.{self.number}.2"

    def rules(self) -> list[tuple[str, list[str]]]:
        """Return the table and the words of each iptables rule that lets the host reach other machines."""
        comment = ["-m", "comment", "--comment", self.name]
        syn = ["-p", "tcp", "--tcp-flags", "SYN,RST", "SYN"]
        return [
            ("nat", ["POSTROUTING", "-s", f"{self.address}/32", "!", "-o", "dpt+", *comment, "-j", "MASQUERADE"]),
            ("filter", ["FORWARD", "-i", self.link, *comment, "-j", "ACCEPT"]),
            ("filter", ["FORWARD", "-o", self.link, *comment, "-j", "ACCEPT"]),
            # Containers' networks have an MTU of 1500. If our own link has less, some servers' answers never arrive.
            ("mangle", ["FORWARD", *syn, "-i", self.link, *comment, "-j", "TCPMSS", "--clamp-mss-to-pmtu"]),
        ]


def claim() -> tuple[Slot, int]:
    """Return the lowest free slot and its lock; also remove what dead runs left in all free slots."""
    LAB.mkdir(mode=0o700, parents=True, exist_ok=True)
    claimed: tuple[Slot, int] | None = None
    for slot in map(Slot, range(SLOTS)):
        path = LAB / f"{slot.number}.lock"
        if claimed and not path.exists():
            continue
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        clean(slot)
        if claimed:
            os.close(lock)
        else:
            claimed = slot, lock
    if not claimed:
        message = f"all {SLOTS} slots of {LAB} are in use"
        raise RuntimeError(message)
    return claimed


def connect(slot: Slot, process: int) -> None:
    """Connect the network namespace of a process to this one with a cable, and let it reach what we reach."""
    route = json.loads(run(["ip", "-json", "route", "show", "default"]).stdout)
    link = json.loads(run(["ip", "-json", "link", "show", route[0]["dev"]]).stdout) if route else [{"mtu": 1500}]
    cable = ["mtu", str(link[0]["mtu"]), "type", "veth", "peer", "name", "eth0", "mtu", str(link[0]["mtu"])]
    inside = ["nsenter", "--target", str(process), "--net", "ip"]
    run(["ip", "link", "add", slot.link, *cable, "netns", str(process)])
    run(["ip", "address", "add", f"{slot.gateway}/30", "dev", slot.link])
    run(["ip", "link", "set", slot.link, "up"])
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "address", "add", f"{slot.address}/30", "dev", "eth0"])
    run([*inside, "link", "set", "eth0", "up"])
    run([*inside, "route", "add", "default", "via", slot.gateway])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for table, rule in slot.rules():
        run(["iptables", "--wait", "-t", table, "-I", *rule])


def clean(slot: Slot) -> None:
    """Remove everything with the slot's name, except kept engine data."""
    for table, chain in (("nat", "POSTROUTING"), ("filter", "FORWARD"), ("mangle", "FORWARD")):
        for line in run(["iptables", "--wait", "-t", table, "-S", chain]).stdout.splitlines():
            words = shlex.split(line)
            if slot.name in words:
                run(["iptables", "--wait", "-t", table, "-D", *words[1:]])
    run(["ip", "link", "delete", slot.link], check=False)  # it ends with its namespace, but that may take a while
    for data in (slot.folder / "data", slot.folder / "root/var/lib", slot.kept):
        remove_cgroups(data)
    if slot.folder.exists():
        shutil.rmtree(slot.folder)


def remove_cgroups(data: Path) -> None:
    """Remove the control groups of a killed engine's containers, which the kernel keeps."""
    for container in data.glob("docker/containers/*"):
        for pattern in ("docker", "*/docker"):
            for group in Path("/sys/fs/cgroup").glob(f"{pattern}/{container.name}"):
                for folder, _, _ in os.walk(group, topdown=False):
                    Path(folder).rmdir()


def name_servers() -> list[str]:
    """Return the name servers that can also be reached from another network namespace."""
    found: list[str] = []
    for file in (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")):
        lines = file.read_text().splitlines() if file.exists() else []
        words = [line.split() for line in lines]
        found += [word[1] for word in words if word[:1] == ["nameserver"] and not word[1].startswith(("127.", "::1"))]
    return list(dict.fromkeys(found))
