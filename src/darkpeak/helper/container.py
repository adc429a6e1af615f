"""The helper's container: it runs while we keep its standard input open.

restic runs in it, and not on the admin's machine, so that a remote host's data is not sent through an admin's laptop.
The services' own scripts run in it too (scripts.py). Neither files of the host nor the engine's socket are mounted. The
services' volumes are mounted read-only: if a script copies a folder of a volume, restic reads it in place instead. If
this program is killed, the helper ends, with everything in it.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkpeak import process
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.helper.build import NAME, ensure_image, image_name, program
from darkpeak.helper.image.protocol import EXACT
from darkpeak.helper.unpack import LeftOut, unpack
from darkpeak.result import Result

CACHE = "darkpeak-restic-cache"
VOLUMES = "/volumes"
WORK, SECRET = "/staging", "/secret"  # in WORK, a service's folder has its name; our own begin with a dot
LABEL = "darkpeak.helper"
NO_SPACE = b"No space left on device"


@dataclass(frozen=True)
class Helper:
    """The running helper."""

    engine: Engine
    volumes: tuple[str, ...] = ()  # of the services, mounted read-only

    def run(self, *argv: str, stdin: bytes = b"", seconds: float = process.SCRIPT_SECONDS) -> Result:
        """Run a program in it, to its end; return its result."""
        return self.engine.exec_in(NAME, argv, stdin, seconds)

    def must(self, *argv: str, stdin: bytes = b"") -> bytes:
        """Run a program that should not fail; return its output.

        Raises:
            SystemFailure: when it fails; the message says so if the disk is full.
        """
        result = self.run(*argv, stdin=stdin)
        if NO_SPACE in result.stderr:
            what = f"the disk of the engine at {self.engine.name} is full"
            raise SystemFailure(what, hint="nothing was lost; see how much is free: darkpeak doctor")
        if result.code:
            raise SystemFailure(f"the backup helper failed: {result.last_line()}", hint="try again")
        return result.stdout

    def put(self, folder: str, files: Mapping[str, str], links: Mapping[str, str], mode: int = 0o644) -> None:
        """Write files and links into one of its folders; they replace those with the same names."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, text in files.items():
                content = text.encode()
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), mode
                archive.addfile(member, io.BytesIO(content))
            for name, target in links.items():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, target
                archive.addfile(member)
        self.must("tar", "--no-same-owner", "--touch", "-xf", "-", "-C", folder, stdin=packed.getvalue())

    def put_secrets(self, files: Mapping[str, str]) -> None:
        """Write secret files into its memory; secrets are never in an environment variable, label or argument."""
        self.put(SECRET, files, {}, mode=0o600)

    def clear(self, folder: str) -> None:
        """Make one of its folders, or empty it."""
        self.must("sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder)

    def inventory(self, folder: str) -> dict[str, Any]:
        """Return the parts in one of its folders, each with size, hash and rows (image/inventory.py)."""
        found: dict[str, Any] = json.loads(self.must(*program("inventory", folder)))
        return found

    def empty(self) -> None:
        """Remove its work files; call this only when no program runs in it.

        Otherwise, when the container ends, a fetched snapshot that is no longer needed is first written to disk and
        then removed, which takes seconds for each GiB.
        """
        self.run("find", WORK, "-mindepth", "1", "-delete")

    def copy_out(self, folder: str, target: Path) -> list[LeftOut]:
        """Copy one of its folders into an empty folder of this machine, as a stream; return what was left out.

        Raises:
            SystemFailure: when the folder cannot be written.
        """
        argv = ("docker", "exec", NAME, *make_pack(folder))
        with process.talk(argv, environment=self.engine.environment, interruptible=True) as child:
            try:
                left_out = unpack(child.stdout, target, owners=os.geteuid() == 0)
            except (OSError, tarfile.TarError, ValueError) as error:
                raise SystemFailure(f"{target} was not written completely: {error}") from error
            ended = child.errors()
        if ended.code:
            raise SystemFailure(f"{target} was not written completely: {ended.last_line()}")
        return left_out


def make_pack(folder: str) -> tuple[str, ...]:
    """Return the command that writes a folder as an archive, with all that a file system knows of a file."""
    return ("tar", *EXACT, "-C", folder, "-cf", "-", ".")


@contextmanager
def start(
    engine: Engine, repositories: Sequence[str], volumes: Sequence[str], on_step: Callable[[str], None]
) -> Iterator[Helper]:
    """Start the helper with the volumes of repositories and of services, and yield it; the caller holds the lock.

    Raises:
        SystemFailure: when the image cannot be built, or when the engine does not start it.
    """
    ensure_image(engine, on_step)
    # The helper of a run that was killed a moment ago may still exist.
    engine.docker("rm", "--force", "--volumes", NAME)
    with keep_running(engine, make_helper(engine_name(engine), repositories, volumes)):
        yield Helper(engine, tuple(volumes))


@contextmanager
def keep_running(engine: Engine, argv: tuple[str, ...], what: str = "the backup helper") -> Iterator[None]:
    """Run a container that prints `ready`, until the block ends; closing its standard input ends it.

    Raises:
        SystemFailure: when it does not start.
    """
    with process.talk(argv, environment=engine.environment) as child:
        if child.read_line() != b"ready\n":
            raise SystemFailure(f"{what} did not start: {child.errors().last_line()}")
        yield


def make_helper(host_name: str, repositories: Sequence[str], volumes: Sequence[str]) -> tuple[str, ...]:
    """Return the command that starts the helper.

    Its host name is always the same, so that the restic locks of dead helpers can be recognised. It may read the files
    of all owners, and make files with all that a volume can have: owners, setgid bits, capabilities, devices.
    """
    return (
        *("docker", "run", "--rm", "--interactive", "--init", "--pull=never", "--log-driver=none"),
        *(f"--name={NAME}", f"--hostname={host_name}", f"--label={LABEL}=restic", "--cap-drop=ALL"),
        *("--cap-add=CHOWN", "--cap-add=DAC_OVERRIDE", "--cap-add=FOWNER"),
        *("--cap-add=FSETID", "--cap-add=MKNOD", "--cap-add=SETFCAP"),
        *("--security-opt=no-new-privileges", f"--tmpfs={SECRET}:mode=0700,size=1m", f"--volume={CACHE}:/cache"),
        *("--env=RESTIC_CACHE_DIR=/cache", *(f"--volume={name}:/repository/{name}" for name in repositories)),
        *(f"--volume={name}:{VOLUMES}/{name}:ro" for name in volumes),
        *(image_name(), "sh", "-c", "echo ready; exec cat"),
    )


def engine_name(engine: Engine) -> str:
    """Return the host name of helpers on this engine, which no helper on another engine has."""
    return "darkpeak-" + hashlib.sha256(str(engine.info()["ID"]).encode()).hexdigest()[:12]
