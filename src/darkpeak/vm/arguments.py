"""The commands that make, start and reach the VM, as tuples. No command is run here."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darkpeak.system.base import Wanted, packages_of
from darkpeak.system.plan import Found, make_steps
from darkpeak.vm.state import DISK_GIB, INITRD, KERNEL, State, VmSettings
from darkpeak.vocabulary import LEFT_OUT, TUNNEL_PORT, VAGRANT

# In addition to the base system: a kernel, an init, a network.
MACHINE_PACKAGES = ("dbus", "iproute2", "linux-image-cloud-amd64", "sudo", "systemd-sysv", "udev")
SOCKET = "/var/run/docker.sock"
BOOT = "root=/dev/vda rw console=ttyS0 net.ifnames=0"
NETWORK = "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n"
SCRIPT, ARCHIVE = "darkpeak-make.sh", "root.tar"


@dataclass(frozen=True)
class Recipe:
    """What an image is made from: a Debian suite, packages, and a script that is run in it."""

    suite: str
    packages: tuple[str, ...]
    script: str

    @property
    def hash(self) -> str:
        """A short hash of the recipe; it does not depend on the packages' versions."""
        parts = (self.suite, *self.packages, self.script)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_recipe(suite: str, wanted: Wanted | None, steps: str, public_key: str) -> Recipe:
    """Return the recipe of a machine with the base system; if `wanted` is None, of one with only an ssh server."""
    base = packages_of(suite) if wanted else ("openssh-server",)
    found = Found(suite, packages=frozenset(base))
    lines = [line for step in make_steps(found, wanted) for line in step.lines] if wanted else []
    script = "{\nIMAGE=yes\n" + steps + "\n".join((*lines, *_machine_lines(public_key))) + "\n}\n"
    return Recipe(suite, tuple(sorted({*MACHINE_PACKAGES, *base})), script)


def _machine_lines(public_key: str) -> tuple[str, ...]:
    """Return the lines of shell for a machine's network, names and ssh login."""
    files = (
        ("/etc/fstab", "644", "/dev/vda / ext4 defaults 0 1\n"),
        ("/etc/hostname", "644", f"{VAGRANT}\n"),
        ("/etc/hosts", "644", f"127.0.0.1 localhost\n127.0.1.1 {VAGRANT}\n"),
        ("/etc/resolv.conf", "644", "nameserver 10.0.2.3\n"),  # QEMU's resolver, which uses this machine's
        ("/etc/systemd/network/20-wired.network", "644", NETWORK),
        ("/root/.ssh/authorized_keys", "600", public_key),
    )
    return (
        *(shlex.join(("put", *file)) for file in files),
        "chmod 700 /root/.ssh",
        "rm -f /etc/ssh/ssh_host_* /etc/machine-id",
        ": >/etc/machine-id",
        "systemctl enable --quiet systemd-networkd ssh",
        "apt-get clean",
        "rm -rf /var/lib/apt/lists/*",
    )


def make_mmdebstrap(recipe: Recipe, making: Path, host_key: Path, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the command that makes the file system as an archive in the folder `making`, with the script there."""
    uploaded, key = shlex.quote(str(making / SCRIPT)), shlex.quote(str(host_key))
    hooks = (
        f"upload {uploaded} /{SCRIPT}",
        f'chroot "$1" sh /{SCRIPT}',
        f'rm "$1/{SCRIPT}"',
        f"upload {key} /etc/ssh/ssh_host_ed25519_key",
        'chmod 600 "$1/etc/ssh/ssh_host_ed25519_key"',
    )
    return (
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(recipe.packages)}"),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        "--dpkgopt=force-unsafe-io",
        *(f"--customize-hook={hook}" for hook in hooks),
        *(recipe.suite, str(making / ARCHIVE), *sources),
    )


def make_unpack(archive: Path, root: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that unpacks the file system with its owners."""
    return (*_as_root(is_root=is_root), "tar", "--numeric-owner", "-xpf", str(archive), "-C", str(root))


def make_image(root: Path, image: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that makes a disk image from a folder, without a mount or a loop device."""
    size = f"{DISK_GIB}G"
    return (*_as_root(is_root=is_root), "mke2fs", "-q", "-t", "ext4", "-d", str(root), str(image), size)


def make_removal(folder: Path, *, is_root: bool) -> tuple[str, ...]:
    """Return the command that removes a folder whose files have many owners."""
    return (*_as_root(is_root=is_root), "rm", "-rf", "--", str(folder))


def _as_root(*, is_root: bool) -> tuple[str, ...]:
    return () if is_root else ("unshare", "--map-root-user", "--map-auto")


def make_qemu(state: State, settings: VmSettings, *, accelerated: bool) -> tuple[str, ...]:
    """Return the command that starts the VM in the background; only this machine's loopback has its ports."""
    forwards = ((settings.ssh_port, 22), *((port, port) for port in settings.ports))
    forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in forwards)
    cpu = ("-accel", "kvm", "-cpu", "host") if accelerated else ("-accel", "tcg,thread=multi", "-cpu", "max")
    return (
        *("qemu-system-x86_64", "-name", "darkpeak-vm", "-machine", "q35", *cpu),
        *("-smp", str(settings.cpus), "-m", str(settings.memory), "-display", "none", "-monitor", "none"),
        *("-kernel", str(state.folder / KERNEL), "-initrd", str(state.folder / INITRD), "-append", BOOT),
        *("-drive", f"file={_comma(state.disk)},format=raw,if=virtio,discard=unmap"),
        *("-netdev", f"user,id=net,{forwarded}", "-device", "virtio-net-pci,netdev=net"),
        *("-device", "virtio-rng-pci", "-serial", f"file:{_comma(state.console)}"),
        *("-qmp", f"unix:{_comma(state.control)},server=on,wait=off"),
        *("-pidfile", str(state.process), "-daemonize"),
    )


def _comma(path: Path) -> str:
    """Return a path for an option of QEMU, in which a comma is written twice."""
    return str(path).replace(",", ",,")


def make_ssh_config(state: State, port: int) -> str:
    """Return the ssh configuration for the VM."""
    settings = {
        "HostName": "127.0.0.1",
        "Port": str(port),
        "User": "root",
        "IdentityFile": f'"{state.key}"',
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "HostKeyAlias": VAGRANT,
        "UserKnownHostsFile": f'"{state.folder / "known_hosts"}"',
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": "10",
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "6",
        "LogLevel": "ERROR",
    }
    return f"Host {VAGRANT}\n" + "".join(f"    {key} {value}\n" for key, value in settings.items())


def make_ssh(state: State, *arguments: str) -> tuple[str, ...]:
    """Return the command that logs in to the VM, or runs a command in it."""
    return ("ssh", "-F", str(state.ssh_config), VAGRANT, *arguments)


def make_tunnel(state: State, port: int = TUNNEL_PORT) -> tuple[str, ...]:
    """Return the command that opens the tunnel and stays in the background."""
    log = str(state.folder / "tunnel.log")
    control = ("-f", "-N", "-M", "-S", str(state.tunnel), "-E", log, "-o", "ExitOnForwardFailure=yes")
    return ("ssh", "-F", str(state.ssh_config), *control, "-L", f"localhost:{port}:{SOCKET}", VAGRANT)


def make_tunnel_control(state: State, word: str) -> tuple[str, ...]:
    """Return the command that checks the tunnel's connection (check), or ends it (exit)."""
    return ("ssh", "-F", str(state.ssh_config), "-S", str(state.tunnel), "-O", word, VAGRANT)
