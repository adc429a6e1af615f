"""The helper's container: started for as long as we hold its standard input open, with its files and programs.

restic runs there and not where the command was typed, because an admin's laptop on a home line must not carry the
gigabytes of a remote host. The services' own scripts run there too (scripts.py). Neither the engine's socket nor
anything else of the host is mounted. The services' volumes are, to be read only: a folder that a script copies out of
one is not copied, but read where it lies. If we are killed, the helper ends, and all that runs in it.
"""

import hashlib
import io
import json
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
from darkpeak.result import Result

CACHE = "darkpeak-restic-cache"
VOLUMES = "/volumes"
WORK, SECRET = "/staging", "/secret"  # in WORK a service's parts have its name, and what is ours begins with a dot
LABEL = "darkpeak.helper"
NO_SPACE = b"No space left on device"


@dataclass(frozen=True)
class Helper:
    """A running helper."""

    engine: Engine
    volumes: tuple[str, ...] = ()  # of the services, which it may read

    def run(self, *argv: str, stdin: bytes = b"", seconds: float = process.SCRIPT_SECONDS) -> Result:
        """Run a program in it, to its end."""
        return self.engine.exec_in(NAME, argv, stdin, seconds)

    def must(self, *argv: str, stdin: bytes = b"") -> bytes:
        """Run a program that cannot fail for a reason of its own, and return what it prints.

        Raises:
            SystemFailure: when it fails all the same; a full disk is named.
        """
        result = self.run(*argv, stdin=stdin)
        if NO_SPACE in result.stderr:
            what = f"the disk of {self.engine.name} is full: there is no room for what a service's script writes"
            raise SystemFailure(what, hint="darkpeak doctor shows how much there is; nothing was lost")
        if result.code:
            raise SystemFailure(f"the backup helper failed: {result.last_line()}", hint="try again")
        return result.stdout

    def put(self, folder: str, files: Mapping[str, str], links: Mapping[str, str], mode: int = 0o644) -> None:
        """Write files into one of its folders, and links in the place of what had their names."""
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
        """Write files into its memory: never an environment variable, label or argument."""
        self.put(SECRET, files, {}, mode=0o600)

    def clear(self, folder: str) -> None:
        """Make one of its folders, or empty it."""
        self.must("sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder)

    def inventory(self, folder: str) -> dict[str, Any]:
        """Return the files of one of its folders, each with size and hash."""
        found: dict[str, Any] = json.loads(self.must(*program("inventory", folder)))
        return found

    def empty(self) -> None:
        """Remove what is staged. Only when nothing runs in it any more, so not when work was broken off.

        When a container ends, the engine's disk writes what it has not yet written; a snapshot that was fetched and is
        no longer needed takes seconds a GiB to be written, and then removed.
        """
        self.run("find", WORK, "-mindepth", "1", "-delete")

    def copy_out(self, folder: str, target: Path) -> None:
        """Write one of its folders into a folder of this machine, streamed.

        Raises:
            SystemFailure: when the folder could not be filled.
        """
        target.mkdir(parents=True, exist_ok=True)
        argv = ("docker", "exec", NAME, "tar", "-C", folder, "-cf", "-", ".")
        with process.talk(argv, environment=self.engine.environment, interruptible=True) as child:
            try:
                with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
                    archive.extractall(target, filter="data")
            except (OSError, tarfile.TarError) as error:
                raise SystemFailure(f"{target} was not filled: {error}") from error
            ended = child.errors()
        if ended.code:
            raise SystemFailure(f"{target} was not filled: {ended.last_line()}")


@contextmanager
def start(
    engine: Engine, repositories: Sequence[str], volumes: Sequence[str], on_step: Callable[[str], None]
) -> Iterator[Helper]:
    """Start the helper, with the volumes that hold repositories and those of services; the caller holds the lock.

    Raises:
        SystemFailure: when the image cannot be built or the engine does not start it.
    """
    ensure_image(engine, on_step)
    # One of a holder that was killed a moment ago may still be ending.
    engine.docker("rm", "--force", "--volumes", NAME)
    with hold(engine, make_helper(engine_name(engine), repositories, volumes)):
        yield Helper(engine, tuple(volumes))


@contextmanager
def hold(engine: Engine, argv: tuple[str, ...]) -> Iterator[None]:
    """Run a container that says `ready`, and end it by ending its input.

    Raises:
        SystemFailure: when it does not start.
    """
    with process.talk(argv, environment=engine.environment) as child:
        if child.read_line() != b"ready\n":
            raise SystemFailure(f"the backup helper did not start: {child.errors().last_line()}")
        yield


def make_helper(host_name: str, repositories: Sequence[str], volumes: Sequence[str]) -> tuple[str, ...]:
    """Return the command that starts the helper.

    Its host name is the same each time, by which restic knows the locks that dead ones have left. Files keep their
    owners, so it may give them away, and read what belongs to others.
    """
    return (
        *("docker", "run", "--rm", "--interactive", "--init", "--pull=never", "--log-driver=none"),
        *(f"--name={NAME}", f"--hostname={host_name}", f"--label={LABEL}=restic", "--cap-drop=ALL"),
        *("--cap-add=CHOWN", "--cap-add=DAC_OVERRIDE", "--cap-add=FOWNER"),
        *("--security-opt=no-new-privileges", f"--tmpfs={SECRET}:mode=0700,size=1m", f"--volume={CACHE}:/cache"),
        *("--env=RESTIC_CACHE_DIR=/cache", *(f"--volume={name}:/repository/{name}" for name in repositories)),
        *(f"--volume={name}:{VOLUMES}/{name}:ro" for name in volumes),
        *(image_name(), "sh", "-c", "echo ready; exec cat"),
    )


def engine_name(engine: Engine) -> str:
    """Return a host name that helpers on this engine always have, and helpers on no other."""
    return "darkpeak-" + hashlib.sha256(str(engine.info()["ID"]).encode()).hexdigest()[:12]
