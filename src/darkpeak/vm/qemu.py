"""QEMU and the ssh connection to what runs in it: started, asked, ended."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from darkpeak.engine.tunnel import LOOPBACK
from darkpeak.errors import SystemFailure
from darkpeak.vm.arguments import make_qemu, make_ssh, make_ssh_config, make_tunnel, make_tunnel_control
from darkpeak.vm.state import TUNNEL_PORT, Machine, State

LOGIN_SECONDS, DAEMON_SECONDS, END_SECONDS = 600.0, 300.0, 90.0
PAUSE = 1.0
PING = b"GET /_ping HTTP/1.0\r\n\r\n"
CONSOLE_LINES = 3
Said = Callable[[str], None]


def runs(state: State) -> bool:
    """Whether the VM's QEMU is there: its control socket answers, which a killed one's does not."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(state.control))
        except OSError:
            return False
    return True


def start(state: State, machine: Machine, *, accelerated: bool) -> None:
    """Start the VM, in the background.

    Raises:
        SystemFailure: when QEMU does not start.
    """
    for left in (state.control, state.process, state.console):
        left.unlink(missing_ok=True)  # of one that was killed
    done = subprocess.run(make_qemu(state, machine, accelerated=accelerated), capture_output=True, check=False)
    if done.returncode:
        raise SystemFailure(f"QEMU did not start: {_last(done.stderr)}", where=str(state.folder))


def write_ssh_config(state: State, machine: Machine) -> None:
    """Tell ssh where the VM is."""
    state.ssh_config.write_text(make_ssh_config(state, machine.ssh_port), encoding="utf-8")


def wait_for_login(state: State, printed: Said) -> None:
    """Wait until one can log in; hand on what the VM prints meanwhile.

    Raises:
        SystemFailure: when it ends, or that takes too long.
    """
    deadline, read = time.monotonic() + LOGIN_SECONDS, 0
    while subprocess.run(make_ssh(state, "true"), capture_output=True, check=False).returncode:
        text = _console(state)
        for line in text[read:].splitlines():
            printed(line)
        read = len(text)
        if not runs(state):
            raise SystemFailure(f"the VM ended while it started: {_last(text.encode())}", where=str(state.console))
        if time.monotonic() > deadline:
            hint = "darkpeak vm up waits on; darkpeak vm destroy, and up, begins anew"
            raise SystemFailure(f"no login after {LOGIN_SECONDS:.0f} s", where=str(state.console), hint=hint)
        time.sleep(PAUSE)


def run_in(state: State, text: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a script in the VM, by its shell's standard input."""
    argv = make_ssh(state, "sh", "-s", "--", *words)
    return subprocess.run(argv, input=text.encode(), capture_output=True, check=False)


def tunnel_is_open(state: State) -> bool:
    """Whether the tunnel's ssh connection is there."""
    if not state.tunnel.exists():
        return False
    return not subprocess.run(make_tunnel_control(state, "check"), capture_output=True, check=False).returncode


def open_tunnel(state: State) -> None:
    """Open the tunnel in the background, and wait until the daemon answers through it.

    Raises:
        SystemFailure: when it cannot be opened, or no daemon answers.
    """
    if not tunnel_is_open(state):
        state.tunnel.unlink(missing_ok=True)
        null = subprocess.DEVNULL
        done = subprocess.run(make_tunnel(state), stdin=null, stdout=null, stderr=null, check=False)
        if done.returncode:
            log = state.folder / "tunnel.log"
            said = log.read_bytes() if log.exists() else b""
            raise SystemFailure(f"the tunnel was not opened: {_last(said)}", hint="darkpeak vm status says how it is")
    deadline = time.monotonic() + DAEMON_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise SystemFailure("no Docker engine answers in the VM", hint="darkpeak vm ssh systemctl status docker")
        time.sleep(PAUSE)


def answers(port: int = TUNNEL_PORT) -> bool:
    """Whether a daemon answers through the tunnel."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=20) as client:
        client.sendall(PING)
        return client.recv(4096).startswith(b"HTTP/1.")
    return False


def close_tunnel(state: State) -> None:
    """End the tunnel."""
    if state.tunnel.exists():
        subprocess.run(make_tunnel_control(state, "exit"), capture_output=True, check=False)
        state.tunnel.unlink(missing_ok=True)


def halt(state: State) -> None:
    """Shut the VM down in good order, and end QEMU where it does not go by itself."""
    subprocess.run(make_ssh(state, "systemctl", "poweroff"), capture_output=True, check=False, timeout=END_SECONDS)
    if not _gone(state, END_SECONDS):
        end(state)


def end(state: State) -> None:
    """End QEMU at once, as the power going would; it is asked to, and killed if it does not.

    Raises:
        SystemFailure: when it stays.
    """
    process = state.process.read_text(encoding="utf-8").strip() if state.process.exists() else ""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(state.control))
        for word in ("qmp_capabilities", "quit"):
            client.sendall(json.dumps({"execute": word}).encode() + b"\n")
            client.recv(4096)
    if not _gone(state, 10) and process.isdigit():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
        if not _gone(state, 10):
            raise SystemFailure(f"QEMU, process {process}, does not end", where=str(state.process))
    for left in (state.control, state.process):
        left.unlink(missing_ok=True)


def _gone(state: State, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while runs(state):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _console(state: State) -> str:
    return state.console.read_text(encoding="utf-8", errors="replace") if state.console.exists() else ""


def _last(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-CONSOLE_LINES:]) or "no word"


def remove(paths: tuple[Path, ...]) -> None:
    """Remove files that may be gone already."""
    for path in paths:
        path.unlink(missing_ok=True)
