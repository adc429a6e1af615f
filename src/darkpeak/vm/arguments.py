"""The commands that make, start and reach the VM, as tuples. Pure."""

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from darkpeak.system.base import Wanted, packages_of
from darkpeak.system.plan import Found, make_steps
from darkpeak.vm.state import DISK_GIB, INITRD, KERNEL, NAME, ROUTER_PORTS, TUNNEL_PORT, Machine, State

SUITE = "trixie"
# A machine's, beside the base system's: a kernel, an init, a network.
MACHINE_PACKAGES = ("dbus", "iproute2", "linux-image-cloud-amd64", "sudo", "systemd-sysv", "udev")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
SOCKET = "/var/run/docker.sock"
BOOT = "root=/dev/vda rw console=ttyS0 net.ifnames=0"
NETWORK = "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n"
SCRIPT = "darkpeak-make.sh"


def make_script(steps: str, wanted: Wanted, public_key: str) -> str:
    """Return what is run in the image: the base system's steps, then what a VM needs beside them."""
    packages = frozenset(packages_of(SUITE))
    base = make_steps(Found(SUITE, packages=packages), wanted)
    files = (
        ("/etc/fstab", "644", "/dev/vda / ext4 defaults 0 1\n"),
        ("/etc/hostname", "644", f"{NAME}\n"),
        ("/etc/hosts", "644", f"127.0.0.1 localhost\n127.0.1.1 {NAME}\n"),
        ("/etc/resolv.conf", "644", "nameserver 10.0.2.3\n"),  # QEMU's, which asks this machine's resolver
        ("/etc/systemd/network/20-wired.network", "644", NETWORK),
        ("/root/.ssh/authorized_keys", "600", public_key),
    )
    lines = (
        *(line for step in base for line in step.lines),
        *(shlex.join(("put", *file)) for file in files),
        "chmod 700 /root/.ssh",
        "rm -f /etc/ssh/ssh_host_* /etc/machine-id",
        ": >/etc/machine-id",
        "systemctl enable --quiet systemd-networkd ssh",
        "apt-get clean",
        "rm -rf /var/lib/apt/lists/*",
    )
    return "{\nIMAGE=yes\n" + steps + "\n".join(lines) + "\n}\n"


def box_hash(script: str, suite: str = SUITE) -> str:
    """Return a short hash of all that a box is made of, but for the day's packages."""
    parts = (suite, *MACHINE_PACKAGES, *packages_of(suite), script)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_mmdebstrap(script: Path, host_key: Path, target: Path, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the command that makes the VM's file system."""
    included = ",".join(sorted({*MACHINE_PACKAGES, *packages_of(SUITE)}))
    uploaded, key = shlex.quote(str(script)), shlex.quote(str(host_key))
    hooks = (
        f"upload {uploaded} /{SCRIPT}",
        f'chroot "$1" sh /{SCRIPT}',
        f'rm "$1/{SCRIPT}"',
        f"upload {key} /etc/ssh/ssh_host_ed25519_key",
        'chmod 600 "$1/etc/ssh/ssh_host_ed25519_key"',
    )
    return (
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={included}"),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        "--dpkgopt=force-unsafe-io",
        *(f"--customize-hook={hook}" for hook in hooks),
        *(SUITE, str(target), *sources),
    )


def make_unpack(archive: Path, root: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that unpacks the file system with its owners."""
    return (*_as_root(is_root=is_root), "tar", "--numeric-owner", "-xpf", str(archive), "-C", str(root))


def make_image(root: Path, image: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that makes a disk of a folder: nothing is mounted, and no loop device needed."""
    size = f"{DISK_GIB}G"
    return (*_as_root(is_root=is_root), "mke2fs", "-q", "-t", "ext4", "-d", str(root), str(image), size)


def make_removal(folder: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that removes a folder whose files have many owners."""
    return (*_as_root(is_root=is_root), "rm", "-rf", "--", str(folder))


def _as_root(*, is_root: bool) -> tuple[str, ...]:
    return () if is_root else ("unshare", "--map-root-user", "--map-auto")


def make_qemu(state: State, machine: Machine, *, accelerated: bool) -> tuple[str, ...]:
    """Return the command that starts the VM in the background; only this machine's loopback leads to it."""
    forwards = ((machine.ssh_port, 22), *((port, port) for port in ROUTER_PORTS))
    forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in forwards)
    cpu = ("-accel", "kvm", "-cpu", "host") if accelerated else ("-accel", "tcg,thread=multi", "-cpu", "max")
    return (
        *("qemu-system-x86_64", "-name", "darkpeak-vm", "-machine", "q35", *cpu),
        *("-smp", str(machine.cpus), "-m", str(machine.memory), "-display", "none", "-monitor", "none"),
        *("-kernel", str(state.folder / KERNEL), "-initrd", str(state.folder / INITRD), "-append", BOOT),
        *("-drive", f"file={_comma(state.disk)},format=raw,if=virtio,discard=unmap"),
        *("-netdev", f"user,id=net,{forwarded}", "-device", "virtio-net-pci,netdev=net"),
        *("-device", "virtio-rng-pci", "-serial", f"file:{_comma(state.console)}"),
        *("-qmp", f"unix:{_comma(state.control)},server=on,wait=off"),
        *("-pidfile", str(state.process), "-daemonize"),
    )


def _comma(path: Path) -> str:
    """Return a path as an option of QEMU's, in which a comma is written twice."""
    return str(path).replace(",", ",,")


def make_ssh_config(state: State, port: int) -> str:
    """Return what ssh is told of the VM."""
    settings = {
        "HostName": "127.0.0.1",
        "Port": str(port),
        "User": "root",
        "IdentityFile": f'"{state.key}"',
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "HostKeyAlias": NAME,
        "UserKnownHostsFile": f'"{state.folder / "known_hosts"}"',
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": "10",
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "6",
        "LogLevel": "ERROR",
    }
    return f"Host {NAME}\n" + "".join(f"    {key} {value}\n" for key, value in settings.items())


def make_ssh(state: State, *arguments: str) -> tuple[str, ...]:
    """Return the command that logs in to the VM, or runs something there."""
    return ("ssh", "-F", str(state.ssh_config), NAME, *arguments)


def make_tunnel(state: State, port: int = TUNNEL_PORT) -> tuple[str, ...]:
    """Return the command that opens the guide's tunnel and stays in the background."""
    log = str(state.folder / "tunnel.log")
    control = ("-f", "-N", "-M", "-S", str(state.tunnel), "-E", log, "-o", "ExitOnForwardFailure=yes")
    return ("ssh", "-F", str(state.ssh_config), *control, "-L", f"localhost:{port}:{SOCKET}", NAME)


def make_tunnel_control(state: State, word: str) -> tuple[str, ...]:
    """Return the command that asks the tunnel's connection (check) or ends it (exit)."""
    return ("ssh", "-F", str(state.ssh_config), "-S", str(state.tunnel), "-O", word, NAME)
