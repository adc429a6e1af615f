"""This laptop, as far as a VM needs to know it: programs, room, ports, acceleration."""

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
    """Return the folder of the VM of this login."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "darkpeak/vm"


@contextmanager
def held(state: State, said: Callable[[str], None]) -> Iterator[int]:
    """Hold the VM's lock, which ends with its last holder, however that ends.

    What is started with the lock's number holds it too: so a tool that outlives a killed run is waited for.
    """
    state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            said("another run is busy with the VM: waiting for it")
            flock(lock, LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def check_programs(*, box: bool) -> None:
    """See that what is needed is installed.

    Raises:
        SystemFailure: when a program is not.
    """
    wanted = PROGRAMS | (BOX_PROGRAMS if box else {})
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [program for program in wanted if not shutil.which(program, path=path)]
    if missing:
        packages = " ".join(dict.fromkeys(wanted[program] for program in missing))
        raise SystemFailure(
            f"{missing[0]} is not installed", hint=f"apt-get install --no-install-recommends {packages}"
        )


def check_room(state: State, settings: VmSettings, *, box: bool, disk: bool) -> None:
    """See that memory and disk will do.

    Raises:
        SystemFailure: when there is too little.
    """
    available = _memory_available()
    if available < settings.memory * MIB + MEMORY_ROOM:
        what = f"{available // MIB} MiB of memory are free, and a VM of {settings.memory} MiB needs more"
        raise SystemFailure(what, hint="end something large, or give it less with --memory")
    check_disk(state, (BOX_ROOM if box else 0) + (DISK_ROOM if disk else 0))


def check_disk(state: State, needed: int) -> None:
    """See that the disk has room.

    Raises:
        SystemFailure: when it has too little.
    """
    state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(state.folder).free
    if free < needed:
        what = f"{free / GIB:.1f} GiB of disk are free, and {needed / GIB:.0f} GiB are needed"
        raise SystemFailure(what, where=str(state.folder), hint="make room there, or name another XDG_STATE_HOME")


def check_ports(router: tuple[int, ...]) -> None:
    """Make sure that no other program uses the ports that lead into the VM: the tunnel's, and these of its router.

    Raises:
        UsageError: when one does.
    """
    for port in (TUNNEL_PORT, *router):
        try:
            check_free(port)
        except UsageError as error:
            whose = "another tunnel?" if port == TUNNEL_PORT else "this machine's own router? darkpeak stop router;"
            raise UsageError(error.message, hint=f"{whose} ss -tlnp 'sport = :{port}' says who") from error


def accelerated() -> bool:
    """Whether this machine's processor helps; /dev/kvm may be there and open, and still be of no use."""
    flags = PROCESSOR_FILE.read_text(encoding="utf-8").split()
    return os.access(KVM, os.R_OK | os.W_OK) and ("vmx" in flags or "svm" in flags)


def _memory_available() -> int:
    lines = MEMORY_FILE.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
