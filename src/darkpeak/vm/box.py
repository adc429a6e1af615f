"""The box: a Debian with the base system, a kernel and an ssh server, built here from Debian's signed archive."""

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

Said = Callable[[str], None]


@dataclass(frozen=True)
class Builder:
    """Who builds a box: where, what for, telling whom, under which lock."""

    state: State
    wanted: Wanted
    said: Said
    lock: int

    def ensure(self, *, rebuild: bool = False) -> bool:
        """Have a box of what is wanted; return whether one was made.

        Raises:
            SystemFailure: when it cannot be built; the box before stays.
        """
        self.make_keys()
        self._run(make_removal(self.state.making, is_root=_is_root()))  # a dead run's
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
        """Pack the box for Vagrant, beside it; return whether that was still to do.

        Raises:
            SystemFailure: when it cannot be packed.
        """
        target, making = self.state.box / VAGRANT_BOX, self.state.making
        if target.exists():
            return False
        self._run(make_removal(making, is_root=_is_root()))
        making.mkdir()
        try:
            self.said("packing the box for Vagrant")
            self._run(("qemu-img", "convert", "-O", "qcow2", str(self.state.box / DISK), str(making / "box.img")))
            metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_GIB}
            (making / "metadata.json").write_text(json.dumps(metadata) + "\n", encoding="utf-8")
            (making / "Vagrantfile").write_text(
                f"# {VAGRANT}: vm/Vagrantfile of the checkout says the rest.\n", "utf-8"
            )
            files = ("metadata.json", "Vagrantfile", "box.img")
            self._run(("tar", "-czf", str(making / VAGRANT_BOX), "-C", str(making), *files))
            (making / VAGRANT_BOX).replace(target)
        finally:
            self._run(make_removal(making, is_root=_is_root()))
        return True

    def recipe(self) -> Recipe:
        """Return what the box is made of."""
        public = self.state.key.with_suffix(".pub").read_text(encoding="utf-8")
        return make_recipe(SUITE, self.wanted, script("make"), public)

    def is_current(self) -> bool:
        """Whether there is a box, of what is wanted now."""
        return self.state.key.exists() and self.state.box_made_of() == self.recipe().hash

    def make_disk(self, recipe: Recipe, target: Path) -> None:
        """Make a machine's disk, kernel and initial file system in a folder.

        Raises:
            SystemFailure: when that fails; nothing stays but what is in that folder.
        """
        making, root = self.state.making, self.state.making / "root"
        root.mkdir(parents=True)
        try:
            (making / SCRIPT).write_text(recipe.script, encoding="utf-8")
            self.said(f"building the box from Debian's signed archive ({recipe.suite}): a minute or two")
            self._run(make_mmdebstrap(recipe, making, self.state.host_key, find_sources(recipe.suite)))
            self.said("making its disk")
            self._run(make_unpack(making / ARCHIVE, root, is_root=_is_root()))
            for name, pattern in ((KERNEL, "vmlinuz-*"), (INITRD, "initrd.img-*")):
                shutil.copyfile(max((root / "boot").glob(pattern)), target / name)
            self._run(make_image(root, target / DISK, is_root=_is_root()))
        finally:
            self._run(make_removal(making, is_root=_is_root()))

    def make_keys(self) -> None:
        """Have the VM's two keys, and know the one by which it will be known."""
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
