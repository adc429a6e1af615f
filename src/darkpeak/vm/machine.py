"""From nothing to a running VM, and back: each step is done only where it is still missing."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from darkpeak.errors import CheckFailed, SystemFailure
from darkpeak.system.base import SWAP_MIB, Wanted
from darkpeak.system.prepare import script
from darkpeak.vm import host, qemu
from darkpeak.vm.arguments import make_ssh
from darkpeak.vm.box import Builder
from darkpeak.vm.state import BOX_ROOM, DISK, INITRD, KERNEL, NAME, TUNNEL_PORT, Machine, State

Said = Callable[[str], None]
EMULATED = "no hardware virtualisation here (no vmx or svm, or no /dev/kvm): the VM is emulated, some ten times slower"
DOCKER_HOST = f"tcp://localhost:{TUNNEL_PORT}"
NO_VM = "there is no VM"


@dataclass(frozen=True)
class Times:
    """How long each part took, in seconds; 0 where there was nothing to do."""

    box: float = 0
    login: float = 0
    daemon: float = 0


@dataclass(frozen=True)
class Status:
    """How the VM is."""

    state: str  # none, halted, running
    box: str  # none, old, current
    tunnel: str  # closed, open, answering
    ssh: str = ""
    memory: int = 0
    cpus: int = 0
    folder: str = ""


@dataclass(frozen=True)
class Vm:
    """The VM of this login, for a collective, telling somebody how far it is."""

    state: State
    wanted: Wanted  # of the image; swap is made when it runs
    said: Said
    printed: Said  # what the VM prints while it starts

    def builder(self, lock: int) -> Builder:
        """Return who builds the box."""
        return Builder(self.state, self.wanted, self.said, lock)

    def make_box(self, *, rebuild: bool) -> bool:
        """Have a box; return whether one was made.

        Raises:
            SystemFailure: when it cannot be built.
        """
        host.check_programs(box=True)
        host.check_disk(self.state, BOX_ROOM)
        with host.held(self.state, self.said) as lock:
            return self.builder(lock).ensure(rebuild=rebuild)

    def pack_box(self) -> bool:
        """Pack the box for Vagrant; return whether that was done.

        Raises:
            SystemFailure: when it cannot be packed.
        """
        with host.held(self.state, self.said) as lock:
            return self.builder(lock).pack()

    def up(self, memory: int, cpus: int) -> Times:
        """Bring up the VM, with its tunnel; what is there already stays.

        Raises:
            UsageError: when a port is taken.
            SystemFailure: when something is missing here, or fails.
        """
        with host.held(self.state, self.said) as lock:
            if qemu.runs(self.state) and qemu.tunnel_is_open(self.state) and qemu.answers():
                return Times()
            machine = self.state.machine()
            is_running, has_disk = qemu.runs(self.state), machine is not None and self.state.disk.exists()
            machine = machine if machine and has_disk else Machine(host.free_port(), memory, cpus)
            builder = self.builder(lock)
            box = not has_disk and not builder.is_current()
            host.check_programs(box=box)
            if not is_running:
                host.check_room(self.state, machine, box=box, disk=not has_disk)
            if not is_running or not qemu.tunnel_is_open(self.state):
                host.check_ports(router=not is_running)
            started = time.monotonic()
            if box:
                builder.ensure()
            boxed = time.monotonic()
            if not has_disk:
                self._make_disk(machine)
            if not is_running:
                self._start(machine)
            qemu.wait_for_login(self.state, self.printed)
            self._make_swap()
            logged_in = time.monotonic()
            qemu.open_tunnel(self.state)
            return Times(boxed - started, logged_in - boxed, time.monotonic() - logged_in)

    def status(self) -> Status:
        """Return how the VM is; nothing is waited for."""
        machine = self.state.machine()
        is_running = qemu.runs(self.state)
        state = "running" if is_running else "halted" if machine and self.state.disk.exists() else "none"
        box = "none" if not self.state.box_made_of() else "current" if self.builder(-1).is_current() else "old"
        is_open = is_running and qemu.tunnel_is_open(self.state)
        tunnel = "closed" if not is_open else "answering" if qemu.answers() else "open"
        if not machine:
            return Status(state, box, tunnel, folder=str(self.state.folder))
        ssh = f"ssh -F {self.state.ssh_config} {NAME}"
        return Status(state, box, tunnel, ssh, machine.memory, machine.cpus, str(self.state.folder))

    def tunnel(self) -> None:
        """Have the tunnel open.

        Raises:
            UsageError: when its port is taken.
            CheckFailed: when the VM does not run.
        """
        self.check_running()
        with host.held(self.state, self.said):
            if not qemu.tunnel_is_open(self.state):
                host.check_ports(router=False)
            qemu.open_tunnel(self.state)

    def ssh(self, words: tuple[str, ...]) -> int:
        """Log in on the caller's terminal, or run something there; return its exit code."""
        self.check_running()
        return subprocess.run(make_ssh(self.state, *words), check=False).returncode

    def halt(self) -> bool:
        """Shut it down; return whether it ran."""
        with host.held(self.state, self.said):
            was_running = qemu.runs(self.state)
            qemu.close_tunnel(self.state)
            if was_running:
                self.said("shutting down")
                qemu.halt(self.state)
            return was_running

    def destroy(self, *, box: bool) -> bool:
        """Remove it with all its data, and with `box` the image it began with; return whether there was anything."""
        with host.held(self.state, self.said):
            state = self.state
            there = state.machine() is not None or state.disk.exists() or (box and state.box.exists())
            qemu.close_tunnel(state)
            qemu.end(state)
            files = (state.machine_file, state.ssh_config, state.console, state.folder / "tunnel.log")
            qemu.remove((*files, *(state.folder / name for name in (DISK, INITRD, KERNEL))))
            qemu.remove(tuple(path for path in state.folder.glob("*.partial") if path.is_file()))
            if box:
                shutil.rmtree(state.box, ignore_errors=True)
            return there

    def check_running(self) -> None:
        """See that the VM runs.

        Raises:
            CheckFailed: when it does not.
        """
        if not qemu.runs(self.state):
            what = "the VM is halted" if self.state.machine() else NO_VM
            raise CheckFailed(what, hint="darkpeak vm up")

    def _make_disk(self, machine: Machine) -> None:
        """Copy the box; the disk gets its name last, so that a killed run leaves none."""
        self.said("making the VM's disk")
        for name in (KERNEL, INITRD, DISK):
            partial = self.state.folder / f"{name}.partial"
            argv = ("cp", "--sparse=always", "--reflink=auto", str(self.state.box / name), str(partial))
            done = subprocess.run(argv, capture_output=True, check=False)
            if done.returncode:
                said = done.stderr.decode(errors="replace").strip()
                raise SystemFailure(f"the disk was not made: {said}", hint="darkpeak vm box --rebuild, then again")
            if name == DISK:
                self.state.write_machine(machine)
            partial.replace(self.state.folder / name)

    def _start(self, machine: Machine) -> None:
        is_accelerated = host.accelerated()
        self.said("starting the VM" if is_accelerated else f"starting the VM; {EMULATED}")
        qemu.write_ssh_config(self.state, machine)
        try:
            qemu.start(self.state, machine, accelerated=is_accelerated)
        except SystemFailure as error:
            if "Could not set up host forwarding" not in error.message:
                raise
            # The port that was free when the VM was made is somebody else's now.
            machine = Machine(host.free_port(), machine.memory, machine.cpus)
            self.state.write_machine(machine)
            qemu.write_ssh_config(self.state, machine)
            qemu.start(self.state, machine, accelerated=is_accelerated)

    def _make_swap(self) -> None:
        """Make the base system's swap, which an image would have to carry empty."""
        text = f"if [ ! -e /swapfile ]; then\n{script('make')}make_swap {SWAP_MIB}\nfi\n"
        done = qemu.run_in(self.state, text)
        if done.returncode:
            self.said(f"note: no swap: {done.stderr.decode(errors='replace').strip()}")
