"""The helper: a container of ours with restic, beside the volumes.

restic runs there and not where the command was typed, because an admin's laptop on a home line must not carry the
gigabytes of a remote host. The service's own scripts run there too, unchanged: their `docker compose exec` enters
the service's containers directly (image/docker.py), and whatever else they ask of compose is asked of us. Neither
the engine's socket nor anything else of the host is mounted: what the helper needs reaches it through the API. The
services' volumes are, to be read only: a folder that a script copies out of one is not copied, but read where it lies.

It lives as long as we hold its standard input open: if we are killed, it ends, and all that runs in it.
"""

import hashlib
import io
import json
import posixpath
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import IO, Any

from darkpeak.collective.model import Service
from darkpeak.engine import base
from darkpeak.engine.engine import Engine, Result
from darkpeak.errors import SystemFailure

NAME = "darkpeak-helper"
CACHE = "darkpeak-restic-cache"
FILES = ("Dockerfile", "docker.py", "enter.py", "gather.py", "inventory.py", "script.py", "spoil.py")
PROGRAMS = "/usr/local/lib/darkpeak"
VOLUMES = "/volumes"
WORK, SECRET = "/staging", "/secret"  # in WORK a service's set has its name, and what is ours begins with a dot
LABEL = "darkpeak.helper"
GONE = 137
VERIFY = "verify"
NO_SPACE = b"No space left on device"


@dataclass(frozen=True)
class Stage:
    """Where a service's scripts act: on its live project, or on a scratch one."""

    service: Service
    project: str
    compose: Callable[..., Result]  # runs one compose command on that project


@dataclass
class Helper:
    """A running helper, and what it has running inside the services' containers."""

    engine: Engine
    volumes: tuple[str, ...] = ()  # of the services, which it may read
    inside: ExitStack = field(default_factory=ExitStack)
    entered: dict[str, "Held"] = field(default_factory=dict)
    brought: set[str] = field(default_factory=set)  # folders of scripts that are there

    def run(self, *argv: str, stdin: bytes = b"") -> Result:
        """Run a program in it, to its end."""
        return self.engine.exec_in(NAME, argv, stdin)

    def must(self, *argv: str, stdin: bytes = b"") -> bytes:
        """Run a program that cannot fail for a reason of its own."""
        result = self.run(*argv, stdin=stdin)
        if NO_SPACE in result.stderr:
            what = f"the disk of {self.engine.name} is full: there is no room for what a service's script writes"
            raise SystemFailure(what, hint="darkpeak doctor shows how much there is; nothing was lost")
        if result.code:
            raise SystemFailure(f"the backup helper failed: {result.complaint()}", hint="try again")
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
        """Have an empty folder."""
        self.must("sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder)

    def inventory(self, folder: str) -> dict[str, Any]:
        """Return the files of one of its folders, each with size and hash."""
        found: dict[str, Any] = json.loads(self.must("python3", f"{PROGRAMS}/inventory.py", folder))
        return found

    def empty(self) -> None:
        """Drop what is staged. Only when nothing runs in it any more, so not when work was broken off.

        When a container ends, the engine's disk writes what it has not yet written; a set that was fetched and is done
        with takes seconds a GiB to be written, and then removed.
        """
        self.run("find", WORK, "-mindepth", "1", "-delete")

    def copy_out(self, folder: str, target: Path) -> None:
        """Write one of its folders into a folder of this machine, streamed."""
        target.mkdir(parents=True, exist_ok=True)
        argv = ("docker", "exec", NAME, "tar", "-C", folder, "-cf", "-", ".")
        with subprocess.Popen(argv, env=self.engine.environment, stdout=subprocess.PIPE) as process:
            assert process.stdout  # noqa: S101 (a pipe, for the type checker)
            try:
                with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                    archive.extractall(target, filter="data")
            except (OSError, tarfile.TarError) as error:
                process.kill()
                raise SystemFailure(f"{target} was not filled: {error}") from None
        if process.returncode:
            raise SystemFailure(f"{target} was not filled: the helper ended too early")

    def bring(self, service: Service) -> str:
        """Have a service's own scripts there; return where."""
        folder = f"{WORK}/.services/{service.name}"
        if folder not in self.brought:
            unpack = 'rm -rf "$1" && mkdir -p "$1" && tar -xf - -C "$1"'
            self.must("sh", "-c", unpack, "sh", folder, stdin=_pack(service))
            self.brought.add(folder)
        return f"{folder}/scripts"

    def script(self, stage: Stage, name: str, *arguments: str) -> Result:
        """Run one of a service's own scripts beside the volumes."""
        argv = ("python3", f"{PROGRAMS}/script.py", f"{self.bring(stage.service)}/{name}", *arguments)
        pipe = subprocess.PIPE
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                ("docker", "exec", "--interactive", NAME, *argv),
                env=self.engine.environment,
                stdin=pipe,
                stdout=pipe,
                stderr=said,
                start_new_session=True,
            ) as process,
        ):
            assert process.stdin and process.stdout  # noqa: S101, PT018 (pipes, for the type checker)
            code = self._converse(stage, process.stdin, process.stdout)
            process.stdin.close()
            process.wait()
            said.seek(0)
            return Result(code, b"", said.read())

    def verify(self, stage: Stage) -> Result | None:
        """Run the service's own check of its content, where it has one."""
        has_one = (stage.service.folder / "scripts" / VERIFY).is_file()
        return self.script(stage, VERIFY) if has_one else None

    def _converse(self, stage: Stage, answers: IO[bytes], questions: IO[bytes]) -> int:
        """Answer what a script asks, until it ends; the exit code is that of a kill if the helper is gone first."""
        for line in questions:
            asked = json.loads(line)
            if "exit" in asked:
                return int(asked["exit"])
            answer = self._answer(stage, asked)
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
        return GONE

    def _answer(self, stage: Stage, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one question of a script's."""
        if "compose" in asked:
            return _compose(stage, asked["compose"])
        container = str(asked.get("enter") or asked.get("container"))
        running = [item for item in self.engine.observe().of(stage.project) if item.container == container]
        running = [item for item in running if item.state == "running"]
        if not running:
            return {"code": 1, "stderr": f"{container} of {stage.project} is not running\n"}
        newest = max(running, key=lambda item: (item.created, item.number))
        details = self.engine.client.api.inspect_container(newest.id)
        if "lies" in asked:
            return {"at": find_in_volumes(asked["lies"], details["Mounts"], self.volumes)}
        return self._enter(details)

    def _enter(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Have a way into a running container."""
        # A restarted container has another first process, and the way in ended with the one before.
        container = details["Id"]
        key = f"{container[:12]}-{details['State']['Pid']}"
        if key not in self.entered:
            argv = make_entering(f"{NAME}-in-{container[:12]}", container, image_name(), f"{WORK}/.ways/{key}")
            self.entered[key] = self.inside.enter_context(hold(self.engine, argv))
        config = details["Config"]
        return {
            "socket": f"{WORK}/.ways/{key}",
            "user": config.get("User") or "",
            "folder": config.get("WorkingDir") or "/",
            "environment": config.get("Env") or [],
        }


@dataclass(frozen=True)
class Held:
    """A container that ends when its standard input does."""

    process: subprocess.Popen[bytes]


@contextmanager
def start(
    engine: Engine, repositories: Sequence[str], volumes: Sequence[str], said: Callable[[str], None]
) -> Iterator[Helper]:
    """Start the helper, with the volumes that hold repositories and those of services; the caller holds the lock.

    Raises:
        SystemFailure: when the image cannot be built or the engine does not start it.
    """
    ensure_image(engine, said)
    # One of a holder that was killed a moment ago may still be ending.
    engine.docker("rm", "--force", "--volumes", NAME)
    with ExitStack() as stack:
        stack.enter_context(hold(engine, make_helper(engine_name(engine), repositories, volumes)))
        helper = Helper(engine, tuple(volumes))
        stack.enter_context(helper.inside)
        yield helper


@contextmanager
def hold(engine: Engine, argv: tuple[str, ...]) -> Iterator[Held]:
    """Run a container that says `ready`, and end it by ending its input."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env=engine.environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 (pipes, for the type checker)
        try:
            if process.stdout.readline() != b"ready\n":
                said = process.stderr.read().decode(errors="replace").strip().splitlines()
                complaint = [line for line in said if line and not line.startswith(("Run ", "See "))]  # docker's advice
                raise SystemFailure(f"the backup helper did not start: {complaint[-1] if complaint else 'no word'}")
            yield Held(process)
        finally:
            process.stdin.close()
            process.stdout.read()


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


def make_entering(name: str, container: str, image: str, socket: str) -> tuple[str, ...]:
    """Return the command that starts a way into a container: beside its processes, allowed to enter its files.

    What it starts there has the capabilities that Docker gives to any container, no others (image/enter.py).
    """
    return (
        *("docker", "run", "--rm", "--interactive", "--pull=never", "--log-driver=none", "--network=none"),
        *(f"--name={name}", f"--label={LABEL}=enter", f"--pid=container:{container}", f"--volumes-from={NAME}"),
        *("--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", image, "python3", f"{PROGRAMS}/enter.py", socket),
    )


def find_in_volumes(folder: str, mounts: Sequence[Mapping[str, Any]], volumes: Sequence[str]) -> str:
    """Return where in the helper a container's folder lies; empty when not in one of these volumes, or in several."""
    wanted = PurePosixPath(posixpath.normpath(folder))
    places = {PurePosixPath(item["Destination"]): str(item.get("Name", "")) for item in mounts}
    if any(place != wanted and place.is_relative_to(wanted) for place in places):
        return ""
    place = next((place for place in (wanted, *wanted.parents) if place in places), None)
    if place is None or places[place] not in volumes:
        return ""
    return str(PurePosixPath(VOLUMES, places[place], wanted.relative_to(place)))


def engine_name(engine: Engine) -> str:
    """Return a host name that helpers on this engine always have, and helpers on no other."""
    return "darkpeak-" + hashlib.sha256(str(engine.client.info()["ID"]).encode()).hexdigest()[:12]


def image_name() -> str:
    """Return the image's name: what it is built from is part of it."""
    folder = resources.files("darkpeak.helper") / "image"
    digest = hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in FILES))
    return f"darkpeak-helper:{digest.hexdigest()[:12]}"


def ensure_image(engine: Engine, said: Callable[[str], None]) -> None:
    """Have the helper's image on the engine, built from Debian's archive."""
    name = image_name()
    if not engine.docker("image", "inspect", name).code:
        return
    base.ensure(engine, "trixie", said)
    said("building the backup helper")
    with resources.as_file(resources.files("darkpeak.helper") / "image") as folder:
        built = engine.docker("build", "--quiet", "--tag", name, "--tag", "darkpeak-helper", str(folder))
    if built.code:
        raise SystemFailure(f"the backup helper could not be built: {built.complaint()}")


def _compose(stage: Stage, arguments: list[str]) -> dict[str, Any]:
    result = stage.compose(*arguments)
    return {
        "code": result.code,
        "stdout": result.stdout.decode(errors="replace"),
        "stderr": result.stderr.decode(errors="replace"),
    }


def _pack(service: Service) -> bytes:
    """Return a service's scripts as an archive; `verify` may bring other files along beside them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(service.folder / "scripts", "scripts", filter=_plain)
    return packed.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.name = str(Path(member.name))
    return member
