"""The VM's files, and its settings."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from darkpeak.vocabulary import GIB, MIB

KERNEL, INITRD, DISK = "vmlinuz", "initrd.img", "disk.img"
VAGRANT_BOX = "vagrant.box"
BOX_ROOM, DISK_ROOM, MEMORY_ROOM = 3 * GIB, 2 * GIB, 256 * MIB
DISK_GIB = 10  # the size that the VM sees; here it takes only the space that is used


@dataclass(frozen=True)
class VmSettings:
    """The settings with which a VM was made."""

    ssh_port: int
    memory: int  # MiB
    cpus: int
    ports: tuple[int, ...] = ()  # this machine's ports that lead to the same ports of the VM: its router's


@dataclass(frozen=True)
class State:
    """The folder of the VM."""

    folder: Path

    @property
    def lock(self) -> Path:
        """The lock, which a command holds while it changes something."""
        return self.folder / "lock"

    @property
    def box(self) -> Path:
        """The image that VMs start from: disk.img, vmlinuz, initrd.img, made.json."""
        return self.folder / "box"

    @property
    def making(self) -> Path:
        """The box while it is made; if the lock is free, this is left from a dead run."""
        return self.folder / "making"

    @property
    def key(self) -> Path:
        """The private ssh key that logs in to the VM."""
        return self.folder / "key"

    @property
    def host_key(self) -> Path:
        """The VM's ssh host key, made here, so that the first login can verify it."""
        return self.folder / "host_key"

    @property
    def ssh_config(self) -> Path:
        """The ssh configuration for the VM."""
        return self.folder / "ssh_config"

    @property
    def machine_file(self) -> Path:
        """The file with the VM's settings."""
        return self.folder / "machine.json"

    @property
    def disk(self) -> Path:
        """The VM's disk."""
        return self.folder / DISK

    @property
    def console(self) -> Path:
        """The output of the VM's console."""
        return self.folder / "console.log"

    @property
    def control(self) -> Path:
        """QEMU's control socket."""
        return self.folder / "qemu.sock"

    @property
    def process(self) -> Path:
        """The file with QEMU's process number."""
        return self.folder / "qemu.pid"

    @property
    def tunnel(self) -> Path:
        """The control socket of the tunnel's ssh connection."""
        return self.folder / "tunnel.sock"

    def settings(self) -> VmSettings | None:
        """Return the settings with which the VM was made, or None if there is no VM."""
        try:
            read = json.loads(self.machine_file.read_text(encoding="utf-8"))
            return VmSettings(**{**read, "ports": tuple(read.get("ports", ()))})
        except (OSError, ValueError, TypeError):
            return None

    def write_settings(self, settings: VmSettings) -> None:
        """Write the settings, in one step."""
        partial = self.machine_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(settings)) + "\n", encoding="utf-8")
        partial.replace(self.machine_file)

    def box_made_of(self) -> str:
        """Return the hash of the recipe of the box, empty if there is no box."""
        try:
            return str(json.loads((self.box / "made.json").read_text(encoding="utf-8"))["of"])
        except (OSError, ValueError, LookupError, TypeError):
            return ""
