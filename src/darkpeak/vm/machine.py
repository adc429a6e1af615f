"""Make, start, stop and remove the VM; each step is done only if it is still missing."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from darkpeak import process
from darkpeak.collective.settings import RouterPorts
from darkpeak.errors import CheckFailed, SystemFailure
from darkpeak.network import free_port
from darkpeak.system.base import SWAP_MIB, Wanted
from darkpeak.system.prepare import script
from darkpeak.vm import host, qemu
from darkpeak.vm.arguments import make_ssh
from darkpeak.vm.box import Builder
from darkpeak.vm.state import BOX_ROOM, DISK, INITRD, KERNEL, State, VmSettings
from darkpeak.vocabulary import TUNNEL_PORT, VAGRANT

OnLine = Callable[[str], None]
EMULATED = "no hardware virtualisation here (no vmx or svm, or no /dev/kvm), so the VM is emulated, ten times slower"
DOCKER_HOST = f"tcp://localhost:{TUNNEL_PORT}"


@dataclass(frozen=True)
class Times:
    """The seconds that each part of the start took; 0 if there was nothing to do."""

    box: float = 0
    login: float = 0
    daemon: float = 0


@dataclass(frozen=True)
class VmStatus:
    """The state of the VM."""

    state: str  # none, halted, running
    box: str  # none, old, current
    tunnel: str  # closed, open, answering
    ssh: str = ""
    memory: int = 0
    cpus: int = 0
    folder: str = ""
    ports: tuple[int, ...] = ()  # of its router; the same ports of this machine lead to them


@dataclass(frozen=True)
class Vm:
    """This login's VM, for a collective; `on_step` gets each step, `on_line` each line of the VM's console."""

    state: State
    wanted: Wanted  # for the image; swap is made when the VM runs
    router: RouterPorts
    on_step: OnLine
    on_line: OnLine

    def builder(self, lock: int) -> Builder:
        """Return a Builder of the box."""
        return Builder(self.state, self.wanted, self.on_step, lock)

    def make_box(self, *, rebuild: bool) -> bool:
        """Make sure that there is a current box; return whether it was built now.

        Raises:
            SystemFailure: when it cannot be built.
        """
        host.check_programs(box=True)
        host.check_disk(self.state, BOX_ROOM)
        with host.locked(self.state, self.on_step) as lock:
            return self.builder(lock).ensure(rebuild=rebuild)

    def pack_box(self) -> bool:
        """Pack the box for Vagrant; return whether that was done now.

        Raises:
            SystemFailure: when it cannot be packed.
        """
        with host.locked(self.state, self.on_step) as lock:
            return self.builder(lock).pack()

    def up(self, memory: int, cpus: int) -> Times:
        """Start the VM and its tunnel; parts that already exist stay. Return the times.

        Raises:
            UsageError: when a port is in use.
            SystemFailure: when something is missing on this machine, or fails.
        """
        with host.locked(self.state, self.on_step) as lock:
            known, is_running = self.state.settings(), qemu.runs(self.state)
            if is_running and known and known.ports != self.router.all:
                self.on_step(
                    "note: collective.toml has other router ports; to open them: darkpeak vm halt, then darkpeak vm up"
                )
            if is_running and qemu.tunnel_is_open(self.state) and qemu.answers():
                return Times()
            has_disk = known is not None and self.state.disk.exists()
            settings = known if known and has_disk else VmSettings(free_port(), memory, cpus)
            settings = settings if is_running else replace(settings, ports=self.router.all)
            builder = self.builder(lock)
            box = not has_disk and not builder.is_current()
            host.check_programs(box=box)
            if not is_running:
                host.check_room(self.state, settings, box=box, disk=not has_disk)
            if not is_running or not qemu.tunnel_is_open(self.state):
                host.check_ports(() if is_running else self.router.all)
            started = time.monotonic()
            if box:
                builder.ensure()
            boxed = time.monotonic()
            if not has_disk:
                self._make_disk(settings)
            if not is_running:
                self._start(settings)
            qemu.wait_for_login(self.state, self.on_line)
            self._make_swap()
            logged_in = time.monotonic()
            qemu.open_tunnel(self.state)
            return Times(boxed - started, logged_in - boxed, time.monotonic() - logged_in)

    def status(self) -> VmStatus:
        """Return the state of the VM, without waiting for anything."""
        settings = self.state.settings()
        is_running = qemu.runs(self.state)
        state = "running" if is_running else "halted" if settings and self.state.disk.exists() else "none"
        box = "none" if not self.state.box_made_of() else "current" if self.builder(-1).is_current() else "old"
        is_open = is_running and qemu.tunnel_is_open(self.state)
        tunnel = "closed" if not is_open else "answering" if qemu.answers() else "open"
        ports = settings.ports if settings and is_running else self.router.all
        if not settings:
            return VmStatus(state, box, tunnel, folder=str(self.state.folder), ports=ports)
        ssh = f"ssh -F {self.state.ssh_config} {VAGRANT}"
        return VmStatus(state, box, tunnel, ssh, settings.memory, settings.cpus, str(self.state.folder), ports)

    def tunnel(self) -> None:
        """Make sure that the tunnel is open.

        Raises:
            UsageError: when its port is in use.
            CheckFailed: when the VM does not run.
        """
        self.check_running()
        with host.locked(self.state, self.on_step):
            if not qemu.tunnel_is_open(self.state):
                host.check_ports(())
            qemu.open_tunnel(self.state)

    def ssh(self, words: tuple[str, ...]) -> int:
        """Log in on the caller's terminal, or run a command in the VM; return its exit code.

        Raises:
            CheckFailed: when the VM does not run.
        """
        self.check_running()
        return process.attach(make_ssh(self.state, *words))

    def halt(self) -> bool:
        """Shut the VM down; return whether it ran."""
        with host.locked(self.state, self.on_step):
            was_running = qemu.runs(self.state)
            qemu.close_tunnel(self.state)
            if was_running:
                self.on_step("shutting down")
                qemu.halt(self.state)
            return was_running

    def destroy(self, *, box: bool) -> bool:
        """Remove the VM with all its data and (box) the box; return whether there was anything to remove."""
        with host.locked(self.state, self.on_step):
            state = self.state
            there = state.settings() is not None or state.disk.exists() or (box and state.box.exists())
            qemu.close_tunnel(state)
            qemu.end(state)
            files = (state.machine_file, state.ssh_config, state.console, state.folder / "tunnel.log")
            qemu.remove((*files, *(state.folder / name for name in (DISK, INITRD, KERNEL))))
            qemu.remove(tuple(path for path in state.folder.glob("*.partial") if path.is_file()))
            if box:
                shutil.rmtree(state.box, ignore_errors=True)
            return there

    def check_running(self) -> None:
        """Check that the VM runs.

        Raises:
            CheckFailed: when it does not.
        """
        if not qemu.runs(self.state):
            what, hint = ("the VM is halted", "start it") if self.state.settings() else ("there is no VM", "make one")
            raise CheckFailed(what, hint=f"{hint}: darkpeak vm up")

    def _make_disk(self, settings: VmSettings) -> None:
        """Copy the box; the disk is renamed last, so that a killed run leaves no disk."""
        self.on_step("making the VM's disk")
        for name in (KERNEL, INITRD, DISK):
            partial = self.state.folder / f"{name}.partial"
            argv = ("cp", "--sparse=always", "--reflink=auto", str(self.state.box / name), str(partial))
            done = process.run(argv, seconds=process.LONG_SECONDS)
            if done.code:
                hint = "build the box again, then try again: darkpeak vm box --rebuild"
                raise SystemFailure(f"the disk was not made: {done.last_line()}", hint=hint)
            if name == DISK:
                self.state.write_settings(settings)
            partial.replace(self.state.folder / name)

    def _start(self, settings: VmSettings) -> None:
        is_accelerated = host.accelerated()
        self.on_step("starting the VM" if is_accelerated else f"starting the VM; {EMULATED}")
        self.state.write_settings(settings)
        qemu.write_ssh_config(self.state, settings)
        try:
            qemu.start(self.state, settings, accelerated=is_accelerated)
        except SystemFailure as error:
            if "Could not set up host forwarding" not in error.message:
                raise
            # The ssh port was free when the VM was made, but is in use now.
            settings = replace(settings, ssh_port=free_port())
            self.state.write_settings(settings)
            qemu.write_ssh_config(self.state, settings)
            qemu.start(self.state, settings, accelerated=is_accelerated)

    def _make_swap(self) -> None:
        """Make the base system's swap; it is not in the image, which it would make larger."""
        text = f"if [ ! -e /swapfile ]; then\n{script('make')}make_swap {SWAP_MIB}\nfi\n"
        done = qemu.run_in(self.state, text)
        if done.code:
            self.on_step(f"note: the swap was not made: {done.last_line()}")
