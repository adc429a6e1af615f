"""Run a service's own scripts, unchanged, in the helper.

Their `docker compose exec` enters the service's containers directly (image/docker.py). Their other compose commands are
sent to us with the protocol of image/protocol.py.
"""

import io
import json
import posixpath
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from darkpeak import process
from darkpeak.collective import scripts as files
from darkpeak.collective.model import Service
from darkpeak.errors import SystemFailure
from darkpeak.helper.build import NAME, image_name, program
from darkpeak.helper.container import LABEL, VOLUMES, WORK, Helper, keep_running
from darkpeak.helper.image.protocol import LOST, Answer, Question
from darkpeak.process import Child
from darkpeak.result import Result

FAILED = 1


@dataclass(frozen=True)
class ComposeProject:
    """The project on which a service's scripts act: the live one, or a scratch copy."""

    service: Service
    name: str
    compose: Callable[..., Result]  # runs one compose command on that project


@dataclass
class Scripts:
    """Runs scripts in a helper; `entries` are containers through which it enters others (image/enter.py)."""

    helper: Helper
    seconds: float = process.SCRIPT_SECONDS  # the deadline of each script
    entries: ExitStack = field(default_factory=ExitStack)
    _entered: set[str] = field(default_factory=set)
    _copied: set[str] = field(default_factory=set)  # services whose scripts are in the helper

    def copy_in(self, service: Service) -> str:
        """Copy a service's own scripts into the helper, if they are not there yet; return their folder."""
        folder = f"{WORK}/.services/{service.name}"
        if service.name not in self._copied:
            unpack = 'rm -rf "$1" && mkdir -p "$1" && tar -xf - -C "$1"'
            self.helper.must("sh", "-c", unpack, "sh", folder, stdin=_pack(service))
            self._copied.add(service.name)
        return f"{folder}/scripts"

    def run(self, project: ComposeProject, name: str, *arguments: str) -> Result:
        """Run one of a service's own scripts in the helper; return its exit code and standard error.

        Raises:
            BadScript: when it cannot be started, or does not end in time.
        """
        files.startable(project.service, name, files.in_helper)
        script = program("script", f"{self.copy_in(project.service)}/{name}", *arguments)
        argv = ("docker", "exec", "--interactive", NAME, *script)
        environment = self.helper.engine.environment
        with tempfile.TemporaryFile() as errors:
            with (
                process.talk(argv, environment=environment, stderr=errors) as child,
                process.Watchdog(child.process, self.seconds) as watchdog,
            ):
                code = self._converse(project, child)
            if watchdog.expired:
                raise files.too_slow(project.service, name, self.seconds)
            errors.seek(0)
            return Result(code, b"", errors.read())

    def verify(self, project: ComposeProject) -> Result | None:
        """Run the service's own check of its content; return None if it has no scripts/verify."""
        if not files.has_verify(project.service):
            return None
        try:
            return self.run(project, files.VERIFY)
        except files.BadScript as error:  # a failed check, and no reason to save or restore nothing
            return Result(FAILED, b"", error.line.encode())

    def _converse(self, project: ComposeProject, child: Child) -> int:
        """Answer a script's questions until it ends; return its exit code, or LOST if the helper ended first."""
        for line in child.stdout:
            question: Question = json.loads(line)
            if question["ask"] == "end":
                return question["code"]
            answer = self._answer(project, question)
            child.stdin.write(json.dumps(answer).encode() + b"\n")
            child.stdin.flush()
        return LOST

    def _answer(self, project: ComposeProject, question: Question) -> Answer:
        if question["ask"] == "compose":
            ran = project.compose(*question["arguments"])
            return {"code": ran.code, "stdout": ran.text, "stderr": ran.stderr.decode(errors="replace")}
        engine, container = self.helper.engine, question["container"]
        running = engine.observe().running(project.name, container)
        if running is None:
            return {"code": 1, "stderr": f"{container} of {project.name} is not running\n"}
        details = engine.inspect(running.id)
        if question["ask"] == "find":
            return {"at": find_in_volumes(question["folder"], details["Mounts"], self.helper.volumes)}
        return self._enter(details)

    def _enter(self, details: Mapping[str, Any]) -> Answer:
        """Start the entry of a running container, if it has none yet; return how to use it."""
        # After a restart, a container has another first process, and its entry ended with the one before.
        container = details["Id"]
        key = f"{container[:12]}-{details['State']['Pid']}"
        if key not in self._entered:
            argv = make_entering(f"{NAME}-in-{container[:12]}", container, image_name(), f"{WORK}/.entries/{key}")
            self.entries.enter_context(keep_running(self.helper.engine, argv))
            self._entered.add(key)
        config = details["Config"]
        return {
            "socket": f"{WORK}/.entries/{key}",
            "user": config.get("User") or "",
            "folder": config.get("WorkingDir") or "/",
            "environment": config.get("Env") or [],
        }


def make_entering(name: str, container: str, image: str, socket: str) -> tuple[str, ...]:
    """Return the command that starts the entry of a container: it shares the container's processes.

    Programs that it starts there have only the capabilities that Docker gives to every container (image/enter.py).
    """
    return (
        *("docker", "run", "--rm", "--interactive", "--pull=never", "--log-driver=none", "--network=none"),
        *(f"--name={name}", f"--label={LABEL}=enter", f"--pid=container:{container}", f"--volumes-from={NAME}"),
        *("--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", image, *program("enter", socket)),
    )


def find_in_volumes(folder: str, mounts: Sequence[Mapping[str, Any]], volumes: Sequence[str]) -> str:
    """Return the helper's path of a container's folder; empty if it is in none of these volumes, or in several."""
    wanted = PurePosixPath(posixpath.normpath(folder))
    places = {PurePosixPath(item["Destination"]): str(item.get("Name", "")) for item in mounts}
    if any(place != wanted and place.is_relative_to(wanted) for place in places):
        return ""
    place = next((place for place in (wanted, *wanted.parents) if place in places), None)
    if place is None or places[place] not in volumes:
        return ""
    return str(PurePosixPath(VOLUMES, places[place], wanted.relative_to(place)))


def _pack(service: Service) -> bytes:
    """Return a service's scripts as an archive, with all files of their folder, since a script may need them.

    Only files and folders: a link to a file becomes that file, since it may lead to another folder of this machine.
    """
    packed = io.BytesIO()
    top = service.folder / "scripts"
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for path in (top, *sorted(top.rglob("*"))):
            if path.is_file() or (path.is_dir() and not path.is_symlink()):
                _add(archive, path, str(Path("scripts", path.relative_to(top))))
    return packed.getvalue()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        archive.add(path, name, recursive=False, filter=_plain)
    except OSError as error:
        what = f"{path.name} of the scripts cannot be read: {error.strerror}"
        raise SystemFailure(what, where=str(path), hint="see its owner and its mode: ls -l") from error


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
