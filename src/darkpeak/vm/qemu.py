"""Start, check and end QEMU, and the ssh connection to the VM."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from darkpeak import process
from darkpeak.engine.tunnel import LOCALHOST
from darkpeak.errors import SystemFailure
from darkpeak.network import engine_answers
from darkpeak.result import Result
from darkpeak.vm.arguments import make_qemu, make_ssh, make_ssh_config, make_tunnel, make_tunnel_control
from darkpeak.vm.state import State, VmSettings
from darkpeak.vocabulary import TUNNEL_PORT

LOGIN_SECONDS, DAEMON_SECONDS, END_SECONDS = 600.0, 300.0, 90.0
PAUSE = 1.0
CONSOLE_LINES = 3


def runs(state: State) -> bool:
    """Return whether the VM's QEMU runs: only then does its control socket answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(state.control))
        except OSError:
            return False
    return True


def start(state: State, settings: VmSettings, *, accelerated: bool) -> None:
    """Start the VM, in the background.

    Raises:
        SystemFailure: when QEMU does not start.
    """
    for left in (state.control, state.process, state.console):
        left.unlink(missing_ok=True)  # left from a killed QEMU
    done = process.run(make_qemu(state, settings, accelerated=accelerated))
    if done.code:
        raise SystemFailure(f"QEMU did not start: {done.last_line(CONSOLE_LINES)}", where=str(state.folder))


def write_ssh_config(state: State, settings: VmSettings) -> None:
    """Write the ssh configuration for the VM."""
    state.ssh_config.write_text(make_ssh_config(state, settings.ssh_port), encoding="utf-8")


def wait_for_login(state: State, on_line: Callable[[str], None]) -> None:
    """Wait until the VM accepts a login; call `on_line` with each line of its console meanwhile.

    Raises:
        SystemFailure: when the VM ends, or when it takes too long.
    """
    deadline, read = time.monotonic() + LOGIN_SECONDS, 0
    while process.run(make_ssh(state, "true")).code:
        text = _console(state)
        for line in text[read:].splitlines():
            on_line(line)
        read = len(text)
        if not runs(state):
            raise SystemFailure(
                f"the VM ended while it started: {Result(1, text.encode()).last_line(CONSOLE_LINES)}",
                where=str(state.console),
            )
        if time.monotonic() > deadline:
            hint = "wait longer: darkpeak vm up; or start again: darkpeak vm destroy, then darkpeak vm up"
            raise SystemFailure(
                f"the VM accepts no login after {LOGIN_SECONDS:.0f} s", where=str(state.console), hint=hint
            )
        time.sleep(PAUSE)


def run_in(state: State, text: str, *words: str) -> Result:
    """Run a script in the VM, on a shell's standard input; return its result."""
    argv = make_ssh(state, "sh", "-s", "--", *words)
    return process.run(argv, stdin=text.encode(), seconds=process.LONG_SECONDS)


def tunnel_is_open(state: State) -> bool:
    """Return whether the tunnel's ssh connection is open."""
    if not state.tunnel.exists():
        return False
    return not process.run(make_tunnel_control(state, "check")).code


def open_tunnel(state: State) -> None:
    """Open the tunnel in the background, and wait until the daemon answers.

    Raises:
        SystemFailure: when it cannot be opened, or no daemon answers.
    """
    if not tunnel_is_open(state):
        state.tunnel.unlink(missing_ok=True)
        log = state.folder / "tunnel.log"
        with log.open("ab") as file:
            code = process.run_into(make_tunnel(state), file, seconds=process.SHORT_SECONDS)
        if code:
            why = Result(code, log.read_bytes()).last_line(CONSOLE_LINES)
            raise SystemFailure(f"the tunnel was not opened: {why}", hint="see the VM's state: darkpeak vm status")
    deadline = time.monotonic() + DAEMON_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise SystemFailure(
                "no Docker engine answers in the VM", hint="see why: darkpeak vm ssh systemctl status docker"
            )
        time.sleep(PAUSE)


def answers(port: int = TUNNEL_PORT) -> bool:
    """Return whether a daemon answers through the tunnel."""
    return engine_answers((LOCALHOST, port))


def close_tunnel(state: State) -> None:
    """Close the tunnel."""
    if state.tunnel.exists():
        process.run(make_tunnel_control(state, "exit"))
        state.tunnel.unlink(missing_ok=True)


def halt(state: State) -> None:
    """Shut the VM down, and end QEMU if it does not end by itself."""
    process.run(make_ssh(state, "systemctl", "poweroff"), seconds=END_SECONDS)
    if not _gone(state, END_SECONDS):
        end(state)


def end(state: State) -> None:
    """End QEMU at once, like a power failure; it is killed if it does not end.

    Raises:
        SystemFailure: when it does not end.
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


def remove(paths: tuple[Path, ...]) -> None:
    """Remove files, if they exist."""
    for path in paths:
        path.unlink(missing_ok=True)
