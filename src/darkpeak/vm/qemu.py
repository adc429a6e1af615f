"""QEMU and the ssh connection to what runs in it: started, asked, ended."""

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


def start(state: State, settings: VmSettings, *, accelerated: bool) -> None:
    """Start the VM, in the background.

    Raises:
        SystemFailure: when QEMU does not start.
    """
    for left in (state.control, state.process, state.console):
        left.unlink(missing_ok=True)  # of one that was killed
    done = process.run(make_qemu(state, settings, accelerated=accelerated))
    if done.code:
        raise SystemFailure(f"QEMU did not start: {done.last_line(CONSOLE_LINES)}", where=str(state.folder))


def write_ssh_config(state: State, settings: VmSettings) -> None:
    """Tell ssh where the VM is."""
    state.ssh_config.write_text(make_ssh_config(state, settings.ssh_port), encoding="utf-8")


def wait_for_login(state: State, printed: Said) -> None:
    """Wait until one can log in; hand on what the VM prints meanwhile.

    Raises:
        SystemFailure: when it ends, or that takes too long.
    """
    deadline, read = time.monotonic() + LOGIN_SECONDS, 0
    while process.run(make_ssh(state, "true")).code:
        text = _console(state)
        for line in text[read:].splitlines():
            printed(line)
        read = len(text)
        if not runs(state):
            raise SystemFailure(
                f"the VM ended while it started: {Result(1, text.encode()).last_line(CONSOLE_LINES)}",
                where=str(state.console),
            )
        if time.monotonic() > deadline:
            hint = "darkpeak vm up waits on; darkpeak vm destroy, and up, begins anew"
            raise SystemFailure(f"no login after {LOGIN_SECONDS:.0f} s", where=str(state.console), hint=hint)
        time.sleep(PAUSE)


def run_in(state: State, text: str, *words: str) -> Result:
    """Run a script in the VM, by its shell's standard input."""
    argv = make_ssh(state, "sh", "-s", "--", *words)
    return process.run(argv, stdin=text.encode(), seconds=process.LONG_SECONDS)


def tunnel_is_open(state: State) -> bool:
    """Whether the tunnel's ssh connection is there."""
    if not state.tunnel.exists():
        return False
    return not process.run(make_tunnel_control(state, "check")).code


def open_tunnel(state: State) -> None:
    """Open the tunnel in the background, and wait until the daemon answers through it.

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
            raise SystemFailure(f"the tunnel was not opened: {why}", hint="darkpeak vm status shows the VM's state")
    deadline = time.monotonic() + DAEMON_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise SystemFailure("no Docker engine answers in the VM", hint="darkpeak vm ssh systemctl status docker")
        time.sleep(PAUSE)


def answers(port: int = TUNNEL_PORT) -> bool:
    """Whether a daemon answers through the tunnel."""
    return engine_answers((LOCALHOST, port))


def close_tunnel(state: State) -> None:
    """End the tunnel."""
    if state.tunnel.exists():
        process.run(make_tunnel_control(state, "exit"))
        state.tunnel.unlink(missing_ok=True)


def halt(state: State) -> None:
    """Shut the VM down in good order, and end QEMU where it does not go by itself."""
    process.run(make_ssh(state, "systemctl", "poweroff"), seconds=END_SECONDS)
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


def remove(paths: tuple[Path, ...]) -> None:
    """Remove files that may be gone already."""
    for path in paths:
        path.unlink(missing_ok=True)
