"""The images that main test hosts begin with: built once, by the host that first needs them, and handed to the others.

What is handed on is the data of an engine at rest: images and the builder's cache. Whoever starts a service of this
checkout then builds nothing, and whoever changes one builds what changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab import slots, toy
from lab.collectives import TOP, copy_of_ours
from lab.commands import run
from lab.kept import keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hosts import Host

SEED = slots.LAB / "seed"
STAMP = "built-from"  # in a host's engine data and in the seed: the hash of what their images were built from
SOURCES = ("services/**/*", "src/darkpeak/helper/image/*", "lab/toy.py", "lab/ledger.py")
NOT_BUILT = {"scripts", "README.md"}
# Layers are never written to again, so links will do; but not for the records of them.
PARTS = {"image": "-a", "overlay2": "-al", "buildkit": "-a"}


def plant(host: Host) -> None:
    """Have the images of this checkout's services, and of those of our own, on a main host without containers."""
    own, wanted = host.slot.kept, make_stamp()
    if read_stamp(own) == wanted:
        return
    with alone():
        made = read_stamp(SEED) == wanted
        if not made:
            build(host)
        host.stop_engine()
        if made:
            hand_on(SEED, own, wanted)
        else:
            hand_on(own, SEED, wanted)
        host.start_engine()
    (own / STAMP).write_text(wanted)


def make_stamp() -> str:
    """Return the hash of all files that the images are built from."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in TOP.glob(pattern) if path.is_file()):
        if NOT_BUILT.isdisjoint(path.parts):
            digest.update(f"{path.relative_to(TOP)} {path.stat().st_mode:o} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read_stamp(folder: Path) -> str:
    """Return what the images in a folder were built from; empty where there are none, or not yet all."""
    stamp = folder / STAMP
    return stamp.read_text() if stamp.exists() else ""


def build(host: Host) -> None:
    """Build every image, by starting all that uses one, and leave nothing but images."""
    with tempfile.TemporaryDirectory(prefix="darkpeak-seed-") as folder:
        collective = copy_of_ours(Path(folder, "ours"), host)
        toy.add(collective)
        collective.darkpeak("up", timeout=1200)
        with keep(collective, Path(folder, "kept")):  # the ledger, and the helper for backups
            pass
    host.forget()


def hand_on(source: Path, target: Path, stamp: str) -> None:
    """Replace the images in a folder of engine data by those of another; the stamp comes last."""
    (target / STAMP).unlink(missing_ok=True)
    copy_images(source / "docker", target / "docker")
    (target / STAMP).write_text(stamp)


def copy_images(source: Path, target: Path) -> None:
    """Copy images and the builder's cache from one engine's data to another's; neither may run."""
    target.mkdir(parents=True, exist_ok=True)
    for part, how in PARTS.items():
        shutil.rmtree(target / part, ignore_errors=True)
        run(["cp", how, str(source / part), str(target)], timeout=300)
    shutil.rmtree(target / "image/overlay2/layerdb/mounts", ignore_errors=True)  # records of containers


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other process from the seed meanwhile; the kernel frees it if we die."""
    lock = os.open(slots.LAB / "seed.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
