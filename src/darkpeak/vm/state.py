"""Where the VM's files are, and what is written down of it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from darkpeak.vocabulary import GIB, MIB

KERNEL, INITRD, DISK = "vmlinuz", "initrd.img", "disk.img"
VAGRANT_BOX = "vagrant.box"
BOX_ROOM, DISK_ROOM, MEMORY_ROOM = 3 * GIB, 2 * GIB, 256 * MIB
DISK_GIB = 10  # what the VM sees; only what is written takes room here


@dataclass(frozen=True)
class VmSettings:
    """What a VM was made with."""

    ssh_port: int
    memory: int  # MiB
    cpus: int
    ports: tuple[int, ...] = ()  # of this machine that lead to the same ports of the VM: its router's


@dataclass(frozen=True)
class State:
    """The folder of the VM."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held by whoever changes something."""
        return self.folder / "lock"

    @property
    def box(self) -> Path:
        """The image that VMs begin with: disk.img, vmlinuz, initrd.img, made.json."""
        return self.folder / "box"

    @property
    def making(self) -> Path:
        """The box while it is made; what is there without a holder of the lock is a dead run's."""
        return self.folder / "making"

    @property
    def key(self) -> Path:
        """The key that opens the VM's ssh server."""
        return self.folder / "key"

    @property
    def host_key(self) -> Path:
        """The VM's own key, made here, so that nobody need trust it at first sight."""
        return self.folder / "host_key"

    @property
    def ssh_config(self) -> Path:
        """How ssh finds the VM."""
        return self.folder / "ssh_config"

    @property
    def machine_file(self) -> Path:
        """What the VM was made with."""
        return self.folder / "machine.json"

    @property
    def disk(self) -> Path:
        """The VM's disk."""
        return self.folder / DISK

    @property
    def console(self) -> Path:
        """What the VM prints while it starts."""
        return self.folder / "console.log"

    @property
    def control(self) -> Path:
        """QEMU's control socket."""
        return self.folder / "qemu.sock"

    @property
    def process(self) -> Path:
        """The number of QEMU's process."""
        return self.folder / "qemu.pid"

    @property
    def tunnel(self) -> Path:
        """The control socket of the ssh connection that is the tunnel."""
        return self.folder / "tunnel.sock"

    def settings(self) -> VmSettings | None:
        """Return what the VM was made with, None where there is none."""
        try:
            read = json.loads(self.machine_file.read_text(encoding="utf-8"))
            return VmSettings(**{**read, "ports": tuple(read.get("ports", ()))})
        except (OSError, ValueError, TypeError):
            return None

    def write_settings(self, settings: VmSettings) -> None:
        """Write that down, in one step."""
        partial = self.machine_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(settings)) + "\n", encoding="utf-8")
        partial.replace(self.machine_file)

    def box_made_of(self) -> str:
        """Return the hash of what the box was made of, empty where there is none."""
        try:
            return str(json.loads((self.box / "made.json").read_text(encoding="utf-8"))["of"])
        except (OSError, ValueError, LookupError, TypeError):
            return ""
