"""The program `docker` inside the helper, with the `docker compose` commands that services' scripts use.

`exec` runs on the daemon's machine: the process that enters the container gets our standard input, output and error, so
no byte of a dump leaves that machine. `cp` of a folder in a volume does not copy it: it makes a link, and restic reads
the folder in place. All other commands are sent to the `darkpeak` that started the script, which has the compose file
and the engine.
"""

import array
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from .protocol import CONTROL, EXACT, LOST, Answer, Question

UNKNOWN = 125
FLAGS = {"-T", "--no-TTY", "--no-tty", "-i", "--interactive"}
ARCHIVE = {"-a", "--archive"}
CONTENT = "/."
CHANGED, TRIES = 1, 3  # tar's exit code when a file changed while it was read


def ask(question: Question) -> Answer:
    """Send a question to the caller; return the answer."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(CONTROL)
        stream = control.makefile("rwb")
        stream.write(json.dumps(question).encode() + b"\n")
        stream.flush()
        line = stream.readline()
        answer: Answer = json.loads(line) if line else {"code": LOST, "stderr": "the caller is gone\n"}
        return answer


def leave(answer: Answer) -> NoReturn:
    """End with the output and the exit code of the command that the caller ran."""
    sys.stdout.write(answer.get("stdout", ""))
    sys.stderr.write(answer.get("stderr", ""))
    sys.exit(answer["code"])


def enter(arguments: list[str]) -> int:
    """Run a program in a container, like `exec [-T] [-u USER] [-w FOLDER] CONTAINER PROGRAM…`; return its exit code."""
    user = folder = ""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        if option in FLAGS:
            continue
        if option not in {"-u", "--user", "-w", "--workdir"} or not (value or rest):
            sys.stderr.write(f"docker compose exec {option} does not work in the backup helper\n")
            return UNKNOWN
        value = value or rest.pop(0)
        user, folder = (value, folder) if option in {"-u", "--user"} else (user, value)
    if len(rest) <= 1:
        sys.stderr.write("docker compose exec needs a container and a program\n")
        return UNKNOWN
    return run_inside(rest[0], rest[1:], user, folder)


def run_inside(  # noqa: PLR0913, PLR0917 (all that a process needs)
    container: str, argv: list[str], user: str = "", folder: str = "", stdin: int = 0, stdout: int = 1
) -> int:
    """Run a program in a container of the service, with our open files; return its exit code."""
    answer = ask({"ask": "enter", "container": container})
    if "socket" not in answer:
        leave(answer)
    question = {"argv": argv, "user": user or answer["user"], "folder": folder or answer["folder"] or "/"}
    question["environment"] = answer["environment"]
    with socket.socket(socket.AF_UNIX) as inside:
        inside.connect(answer["socket"])
        inside.sendmsg(
            [json.dumps(question).encode() + b"\n"],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [stdin, stdout, 2]))],
        )
        code = inside.makefile("rb").readline()
    # No answer: the program was killed. That is never a success.
    return int(code) if code else LOST


def copy(arguments: list[str]) -> int:
    """Copy a folder with its owners, like `cp -a CONTAINER:FOLDER/. NEW` and `cp -a FOLDER/. CONTAINER:FOLDER`."""
    flags, names = arguments[:1], arguments[1:]
    if len(names) != 2 or flags[0] not in ARCHIVE or not names[0].endswith(CONTENT):  # noqa: PLR2004 (from and to)
        sys.stderr.write("the backup helper has only this form: docker compose cp -a FROM/. TO\n")
        return UNKNOWN
    source, target = names[0].removesuffix(CONTENT), names[1]
    container, _, folder = source.partition(":")
    if folder.startswith("/"):
        return copy_out(container, folder, Path(target))
    container, _, folder = target.partition(":")
    return copy_in(Path(source), container, folder)


def copy_out(container: str, folder: str, target: Path) -> int:
    """Copy a container's folder to `target`, or make a link if it is in a volume that we have; return the exit code."""
    answer = ask({"ask": "find", "container": container, "folder": folder})
    if "code" in answer:
        leave(answer)
    if target.exists():
        sys.stderr.write(f"{target} already exists\n")
        return UNKNOWN
    at = Path(answer["at"] or target)
    if at.is_dir() and at.resolve() == at:  # a link leads to another target in the container than here
        target.symlink_to(at)
        return 0
    argv = ["tar", *EXACT, "-C", folder, "-cf", "-", "."]
    for _ in range(TRIES):
        target.mkdir(parents=True, exist_ok=True)
        unpack = subprocess.Popen(["tar", *EXACT, "-C", str(target), "-xpf", "-"], stdin=subprocess.PIPE)
        with unpack:
            assert unpack.stdin  # noqa: S101 (a pipe, for the type checker)
            code = run_inside(container, argv, "0", "/", stdout=unpack.stdin.fileno())
        if code != CHANGED:
            break
        subprocess.run(["rm", "-rf", str(target)], check=True)
    return code or unpack.returncode


def copy_in(source: Path, container: str, folder: str) -> int:
    """Copy a folder's content into a container's folder; return the exit code."""
    pack = subprocess.Popen(["tar", *EXACT, "-C", str(source), "-cf", "-", "."], stdout=subprocess.PIPE)
    with pack:
        assert pack.stdout  # noqa: S101 (a pipe, for the type checker)
        argv = ["tar", *EXACT, "-C", folder, "-xpf", "-"]
        code = run_inside(container, argv, "0", "/", stdin=pack.stdout.fileno())
    return code or pack.returncode


def main(argv: list[str]) -> int:
    """Run one command; return its exit code."""
    if argv[:1] != ["compose"]:
        sys.stderr.write(f"docker {' '.join(argv[:1])}: the backup helper has only docker compose\n")
        return UNKNOWN
    if argv[1:2] == ["exec"]:
        return enter(argv[2:])
    if argv[1:2] == ["cp"]:
        return copy(argv[2:])
    leave(ask({"ask": "compose", "arguments": argv[1:]}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
