"""Run programs inside another container: `python3 -m image.enter SOCKET`, in a container that shares its processes.

Each connection brings a program's arguments, and its standard input, output and error as open files. The program runs
in the other container's file system and network, only with the capabilities that Docker gives to every container.
This program ends when its own standard input is closed.
"""

import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

# The default of `docker run`: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service,
# net_raw, sys_chroot, mknod, audit_write, setfcap.
DEFAULT_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
LAST_CAPABILITY = 63
DROP_BOUNDING, NO_NEW_PRIVILEGES, CAPABILITY_VERSION = 24, 38, 0x20080522
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ("mnt", "net", "ipc", "uts")
NOT_STARTED, NOT_FOUND = 126, 127
REASONS = {
    errno.ENOENT: "the program in its first line is missing, or that line ends with CRLF",
    errno.ENOEXEC: "it has no #! line",
}
BUFFER_SIZE = 1 << 20


def drop_capabilities(libc: Any) -> None:
    """Keep only the default capabilities, for this process and all its children."""
    for number in range(LAST_CAPABILITY + 1):
        if number not in DEFAULT_CAPABILITIES:
            libc.prctl(DROP_BOUNDING, number, 0, 0, 0)
    mask = sum(1 << number for number in DEFAULT_CAPABILITIES)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, 0, 0, 0, 0)
    if libc.capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def table(path: str) -> list[list[str]]:
    """Return the lines of /etc/passwd or /etc/group as lists of fields."""
    try:
        return [line.split(":") for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except OSError:
        return []


def switch_user(user: str) -> str:
    """Become a user, given as NAME[:GROUP] or numbers; return the user's home folder."""
    name, _, group = (user or "0").partition(":")
    entry = next((row for row in table("/etc/passwd") if name in row[:3:2]), [name, "", name, "0", "", "/", ""])
    groups = {row[0]: int(row[2]) for row in table("/etc/group")}
    main = groups.get(group, int(group) if group.isdecimal() else int(entry[3]))
    others = [int(row[2]) for row in table("/etc/group") if entry[0] in row[3].split(",")]
    os.setgroups([main, *others])
    os.setgid(main)
    os.setuid(int(entry[2]))
    return entry[5]


def become_program(request: dict[str, Any], namespaces: list[int], environment: dict[str, str]) -> None:
    """Enter the other container and become the program; this does not return."""
    libc = ctypes.CDLL(None, use_errno=True)
    for namespace in namespaces:
        os.setns(namespace)  # type: ignore[attr-defined, unused-ignore]  # Python 3.12, as the helper has
    os.chdir(request["folder"])
    drop_capabilities(libc)
    environment["HOME"] = switch_user(request["user"])
    program = request["argv"][0]
    places = [""] if "/" in program else environment["PATH"].split(":")
    for place in places:
        path = f"{place}/{program}" if place else program
        if os.access(path, os.X_OK):
            try:
                os.execve(path, request["argv"], environment)  # noqa: S606 (the requested program, as a list)
            except OSError as error:
                why = REASONS.get(error.errno or 0, str(error.strerror))
                os.write(2, f"{path} of the container cannot be started: {why}\n".encode())
                os._exit(NOT_STARTED)
    os.write(2, f"{program}: not found in the container\n".encode())
    os._exit(NOT_FOUND)


def serve(connection: socket.socket) -> None:
    """Run the program of one connection to its end, and send its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    received, files, _, _ = socket.recv_fds(connection, BUFFER_SIZE, 3)
    while not received.endswith(b"\n"):
        received += connection.recv(BUFFER_SIZE)
    request = json.loads(received)
    # The environment is from the container's settings: its first process may have overwritten its own, as sshd does.
    environment = {"PATH": DEFAULT_PATH} | dict(line.split("=", 1) for line in request["environment"] if "=" in line)
    # Open them now: later we have neither /proc nor the capability to read it.
    namespaces = [os.open(f"/proc/1/ns/{name}", os.O_RDONLY) for name in NAMESPACES]
    child = os.fork()
    if child == 0:
        try:
            for number, file in enumerate(files):
                os.dup2(file, number)
            become_program(request, namespaces, environment)
        except BaseException as error:  # noqa: BLE001 (the child must end here in any case)
            os.write(2, f"{request['argv'][0]}: {error}\n".encode())
        os._exit(126)
    for file in (*files, *namespaces):
        os.close(file)
    # If the script is killed, its end of the connection closes: then the program is killed too.
    watch = os.pidfd_open(child)
    watched: list[Any] = [watch, connection]
    ready, _, _ = select.select(watched, [], [])
    if watch not in ready:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(f"{128 - code if code < 0 else code}\n".encode())


def main(path: str) -> None:
    """Serve connections until standard input is closed."""
    with socket.socket(socket.AF_UNIX) as listener:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        listener.bind(path)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        watched: list[Any] = [listener, 0]
        while True:
            ready, _, _ = select.select(watched, [], [])
            if 0 in ready and not os.read(0, BUFFER_SIZE):
                return
            if listener in ready:
                connection, _ = listener.accept()
                if os.fork() == 0:
                    serve(connection)
                    os._exit(0)
                connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
