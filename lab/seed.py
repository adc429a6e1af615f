"""The images that main test hosts start with: the first host that needs them builds them, and the others copy them.

They copy the data of a stopped engine: images and the build cache. So a test that starts a service of this checkout
builds nothing, and a test that changes one builds only what changed.
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
STAMP = "built-from"  # this file, beside the images, has the hash of the files that they were built from
SOURCES = ("services/**/*", "src/darkpeak/helper/image/*", "lab/toy.py", "lab/ledger.py")
NOT_BUILT = {"scripts", "README.md"}
# Layers never change, so they are linked; the records of them are copied.
PARTS = {"image": "-a", "overlay2": "-al", "buildkit": "-a"}


def provide(host: Host) -> None:
    """Make sure that a main host has the images of all services; it must not have containers."""
    own, wanted = host.slot.kept, make_stamp()
    if read_stamp(own) == wanted:
        return
    with locked():
        made = read_stamp(SEED) == wanted
        if not made:
            build(host)
        host.stop_engine()
        if made:
            replace_images(SEED, own, wanted)
        else:
            replace_images(own, SEED, wanted)
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
    """Return the hash in a folder of images; empty if images are missing."""
    stamp = folder / STAMP
    return stamp.read_text() if stamp.exists() else ""


def build(host: Host) -> None:
    """Build every image, by starting everything that uses one; then remove everything except the images."""
    with tempfile.TemporaryDirectory(prefix="darkpeak-seed-") as folder:
        collective = copy_of_ours(Path(folder, "ours"), host)
        toy.add(collective)
        collective.darkpeak("up", timeout=1200)
        with keep(collective, Path(folder, "kept")):  # the ledger, and the helper for backups
            pass
    host.forget()


def replace_images(source: Path, target: Path, stamp: str) -> None:
    """Replace the images in a folder of engine data with those of another; the stamp is written last."""
    (target / STAMP).unlink(missing_ok=True)
    copy_images(source / "docker", target / "docker")
    (target / STAMP).write_text(stamp)


def copy_images(source: Path, target: Path) -> None:
    """Copy images and the build cache from one engine's data to another's; neither engine may run."""
    target.mkdir(parents=True, exist_ok=True)
    for part, how in PARTS.items():
        shutil.rmtree(target / part, ignore_errors=True)
        run(["cp", how, str(source / part), str(target)], timeout=300)
    shutil.rmtree(target / "image/overlay2/layerdb/mounts", ignore_errors=True)  # records of containers


@contextmanager
def locked() -> Iterator[None]:
    """Lock the seed against other processes; the kernel releases the lock if this process dies."""
    lock = os.open(slots.LAB / "seed.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
