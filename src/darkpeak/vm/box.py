"""Build the box: a disk image with Debian, the base system, a kernel and an ssh server, from Debian's archive."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from darkpeak import process
from darkpeak.engine.base import find_sources
from darkpeak.errors import SystemFailure
from darkpeak.system.base import Wanted
from darkpeak.system.prepare import script
from darkpeak.vm.arguments import (
    ARCHIVE,
    SCRIPT,
    Recipe,
    make_image,
    make_mmdebstrap,
    make_recipe,
    make_removal,
    make_unpack,
)
from darkpeak.vm.state import DISK, DISK_GIB, INITRD, KERNEL, VAGRANT_BOX, State
from darkpeak.vocabulary import SUITE, VAGRANT

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Builder:
    """Builds the box in a folder; `lock` is the file descriptor of the VM's lock."""

    state: State
    wanted: Wanted
    on_step: OnStep
    lock: int

    def ensure(self, *, rebuild: bool = False) -> bool:
        """Make sure that there is a box with what is wanted; return whether it was built now.

        Raises:
            SystemFailure: when it cannot be built; the old box stays.
        """
        self.make_keys()
        self._run(make_removal(self.state.making, is_root=_is_root()))  # left from a dead run
        recipe = self.recipe()
        if not rebuild and self.state.box_made_of() == recipe.hash:
            return False
        started, done = time.monotonic(), self.state.folder / "box.partial"
        shutil.rmtree(done, ignore_errors=True)
        done.mkdir()
        self.make_disk(recipe, done)
        made = {"of": recipe.hash, "suite": recipe.suite, "seconds": round(time.monotonic() - started)}
        (done / "made.json").write_text(json.dumps(made) + "\n", encoding="utf-8")
        shutil.rmtree(self.state.box, ignore_errors=True)
        done.replace(self.state.box)
        return True

    def pack(self) -> bool:
        """Pack the box for Vagrant, into the same folder; return whether that was done now.

        Raises:
            SystemFailure: when it cannot be packed.
        """
        target, making = self.state.box / VAGRANT_BOX, self.state.making
        if target.exists():
            return False
        self._run(make_removal(making, is_root=_is_root()))
        making.mkdir()
        try:
            self.on_step("packing the box for Vagrant")
            self._run(("qemu-img", "convert", "-O", "qcow2", str(self.state.box / DISK), str(making / "box.img")))
            metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_GIB}
            (making / "metadata.json").write_text(json.dumps(metadata) + "\n", encoding="utf-8")
            (making / "Vagrantfile").write_text(
                f"# {VAGRANT}: the other settings are in vm/Vagrantfile of the checkout.\n", "utf-8"
            )
            files = ("metadata.json", "Vagrantfile", "box.img")
            self._run(("tar", "-czf", str(making / VAGRANT_BOX), "-C", str(making), *files))
            (making / VAGRANT_BOX).replace(target)
        finally:
            self._run(make_removal(making, is_root=_is_root()))
        return True

    def recipe(self) -> Recipe:
        """Return the recipe of the box."""
        public = self.state.key.with_suffix(".pub").read_text(encoding="utf-8")
        return make_recipe(SUITE, self.wanted, script("make"), public)

    def is_current(self) -> bool:
        """Return whether there is a box with what is wanted now."""
        return self.state.key.exists() and self.state.box_made_of() == self.recipe().hash

    def make_disk(self, recipe: Recipe, target: Path) -> None:
        """Make a machine's disk, kernel and initial file system in a folder.

        Raises:
            SystemFailure: when that fails; only that folder may contain leftovers.
        """
        making, root = self.state.making, self.state.making / "root"
        root.mkdir(parents=True)
        try:
            (making / SCRIPT).write_text(recipe.script, encoding="utf-8")
            self.on_step(f"building the box from Debian's signed archive ({recipe.suite}); it takes a minute or two")
            self._run(make_mmdebstrap(recipe, making, self.state.host_key, find_sources(recipe.suite)))
            self.on_step("making the box's disk")
            self._run(make_unpack(making / ARCHIVE, root, is_root=_is_root()))
            for name, pattern in ((KERNEL, "vmlinuz-*"), (INITRD, "initrd.img-*")):
                shutil.copyfile(max((root / "boot").glob(pattern)), target / name)
            self._run(make_image(root, target / DISK, is_root=_is_root()))
        finally:
            self._run(make_removal(making, is_root=_is_root()))

    def make_keys(self) -> None:
        """Make the login's key and the VM's host key if they are missing, and write known_hosts."""
        for key in (self.state.key, self.state.host_key):
            if key.exists() and key.with_suffix(".pub").exists():
                continue
            key.unlink(missing_ok=True)
            self._run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "darkpeak-vm", "-f", str(key)))
        public = self.state.host_key.with_suffix(".pub").read_text(encoding="utf-8")
        (self.state.folder / "known_hosts").write_text(f"{VAGRANT} {public}", encoding="utf-8")

    def _run(self, argv: tuple[str, ...]) -> None:
        environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        done = process.run(argv, environment=environment, pass_fds=(self.lock,), seconds=process.LONG_SECONDS)
        if done.code:
            from_apt = [line for line in done.last_lines(50).splitlines() if line.startswith(("E:", "W:"))]
            why = from_apt[-1] if from_apt else done.last_line()
            raise SystemFailure(f"{argv[0]} failed: {why}", where=str(self.state.folder))


def _is_root() -> bool:
    return os.geteuid() == 0
