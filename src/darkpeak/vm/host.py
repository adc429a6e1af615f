"""This machine, as a VM needs it: programs, memory and disk, ports, virtualisation, the VM's lock."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.network import check_free
from darkpeak.vm.state import BOX_ROOM, DISK_ROOM, MEMORY_ROOM, State, VmSettings
from darkpeak.vocabulary import GIB, MIB, TUNNEL_PORT

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}
BOX_PROGRAMS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "tar": "tar"}
MEMORY_FILE, PROCESSOR_FILE, KVM = Path("/proc/meminfo"), Path("/proc/cpuinfo"), Path("/dev/kvm")


def state_folder() -> Path:
    """Return the folder of this login's VM."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "darkpeak/vm"


@contextmanager
def locked(state: State, on_step: Callable[[str], None]) -> Iterator[int]:
    """Hold the VM's lock; yield its file descriptor.

    Programs that inherit the file descriptor hold the lock too, so that the next run waits for a tool that outlives a
    killed run. The system releases the lock when the last of them ends.
    """
    state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            on_step("locked by another command; waiting")
            flock(lock, LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def check_programs(*, box: bool) -> None:
    """Check that all programs are installed.

    Raises:
        SystemFailure: when a program is missing.
    """
    wanted = PROGRAMS | (BOX_PROGRAMS if box else {})
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [program for program in wanted if not shutil.which(program, path=path)]
    if missing:
        packages = " ".join(dict.fromkeys(wanted[program] for program in missing))
        raise SystemFailure(
            f"{missing[0]} is not installed", hint=f"install it: apt-get install --no-install-recommends {packages}"
        )


def check_room(state: State, settings: VmSettings, *, box: bool, disk: bool) -> None:
    """Check that there is enough memory and disk space.

    Raises:
        SystemFailure: when there is too little.
    """
    available = _memory_available()
    if available < settings.memory * MIB + MEMORY_ROOM:
        what = f"{available // MIB} MiB of memory are free, which is too little for a VM of {settings.memory} MiB"
        raise SystemFailure(what, hint="close a large program, or give the VM less with --memory")
    check_disk(state, (BOX_ROOM if box else 0) + (DISK_ROOM if disk else 0))


def check_disk(state: State, needed: int) -> None:
    """Check that there is enough disk space.

    Raises:
        SystemFailure: when there is too little.
    """
    state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(state.folder).free
    if free < needed:
        what = f"{free / GIB:.1f} GiB of disk are free, and {needed / GIB:.0f} GiB are needed"
        raise SystemFailure(
            what, where=str(state.folder), hint="free space there, or set XDG_STATE_HOME to another folder"
        )


def check_ports(router: tuple[int, ...]) -> None:
    """Check that no other program uses the ports of the VM: the tunnel's, and these of its router.

    Raises:
        UsageError: when a program does.
    """
    for port in (TUNNEL_PORT, *router):
        try:
            check_free(port)
        except UsageError as error:
            whose = (
                "another tunnel" if port == TUNNEL_PORT else "this machine's own router (stop it: darkpeak stop router)"
            )
            hint = f"is it {whose}? see what uses it: ss -tlnp 'sport = :{port}'"
            raise UsageError(error.message, hint=hint) from error


def accelerated() -> bool:
    """Return whether this machine has hardware virtualisation; /dev/kvm alone does not prove it."""
    flags = PROCESSOR_FILE.read_text(encoding="utf-8").split()
    return os.access(KVM, os.R_OK | os.W_OK) and ("vmx" in flags or "svm" in flags)


def _memory_available() -> int:
    lines = MEMORY_FILE.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
