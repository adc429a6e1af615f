"""`docker compose` as a service's scripts know it, inside the helper.

`exec` runs beside the data: our own standard input, output and error are handed to the process that enters the
container, so that not a byte of a dump leaves the daemon's machine. Every other command is asked of whoever typed
`darkpeak`, who has the compose file and the engine.
"""

import array
import json
import socket
import sys
from typing import Any, NoReturn

CONTROL = "/run/control"
UNKNOWN = 125
LOST = 137
FLAGS = {"-T", "--no-TTY", "--no-tty", "-i", "--interactive"}


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """Ask the caller, and wait for the answer."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(CONTROL)
        stream = control.makefile("rwb")
        stream.write(json.dumps(question).encode() + b"\n")
        stream.flush()
        answer: dict[str, Any] = json.loads(stream.readline() or b'{"code": 137, "stderr": "the caller is gone\\n"}')
        return answer


def leave(answer: dict[str, Any]) -> NoReturn:
    """End as the command did that the caller ran for us."""
    sys.stdout.write(answer.get("stdout", ""))
    sys.stderr.write(answer.get("stderr", ""))
    sys.exit(answer["code"])


def enter(arguments: list[str]) -> int:
    """Run a program in a container of the service, as `exec [-T] [-u USER] [-w FOLDER] CONTAINER PROGRAM…` does."""
    user = folder = ""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        if option in FLAGS:
            continue
        if option not in {"-u", "--user", "-w", "--workdir"} or not (value or rest):
            sys.stderr.write(f"docker compose exec {option} is not known beside the volumes\n")
            return UNKNOWN
        value = value or rest.pop(0)
        user, folder = (value, folder) if option in {"-u", "--user"} else (user, value)
    if len(rest) <= 1:
        sys.stderr.write("docker compose exec needs a container and a program\n")
        return UNKNOWN
    answer = ask({"enter": rest[0]})
    if "socket" not in answer:
        leave(answer)
    question = {"argv": rest[1:], "user": user or answer["user"], "folder": folder or answer["folder"] or "/"}
    question["environment"] = answer["environment"]
    with socket.socket(socket.AF_UNIX) as inside:
        inside.connect(answer["socket"])
        inside.sendmsg(
            [json.dumps(question).encode() + b"\n"],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))],
        )
        code = inside.makefile("rb").readline()
    # No answer: what entered was killed, with whatever it ran. Never a success.
    return int(code) if code else LOST


def main(argv: list[str]) -> int:
    """Run one command."""
    if argv[:1] != ["compose"]:
        sys.stderr.write(f"docker {' '.join(argv[:1])}: beside the volumes there is docker compose only\n")
        return UNKNOWN
    if argv[1:2] == ["exec"]:
        return enter(argv[2:])
    leave(ask({"compose": argv[1:]}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
