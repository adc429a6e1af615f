"""Look at a server over ssh, and make it what the plan says, by scripts on a shell's standard input."""

import shlex
from importlib.resources import files

from darkpeak.collective.uri import Uri
from darkpeak.engine.ssh import Connection
from darkpeak.errors import SystemFailure
from darkpeak.system.base import Wanted
from darkpeak.system.plan import Found, SystemStep, asked_of, read_found

# Root's shell reads the script; for another login sudo's does, which must not ask for a password.
AS_ROOT = 'if [ "$(id -u)" -eq 0 ]; then exec sh -s -- "$@"; else exec sudo -n -- sh -s -- "$@"; fi'
LAST_LINES = 3


class Server:
    """A machine that one can log in to, as root or as somebody who may become root."""

    def __init__(self, uri: Uri) -> None:
        self.connection = Connection(uri)

    def open(self) -> None:
        """Connect.

        Raises:
            SystemFailure: when there is no way in.
        """
        try:
            self.connection.open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def look(self, wanted: Wanted) -> Found:
        """Return what of the base system is there."""
        packages, paths = asked_of(wanted)
        return read_found(self._run(script("look"), (*packages, "--", *paths)))

    def make(self, step: SystemStep) -> None:
        """Carry out one step.

        Raises:
            SystemFailure: when it fails; what was done before it stays.
        """
        # All of it is read before any of it runs, so that no program there reads the script for us.
        self._run("{\n" + script("make") + "\n".join(step.lines) + "\n}\n", (), f"could not {step.what}")

    def _run(self, text: str, arguments: tuple[str, ...], failed: str = "cannot be looked at") -> str:
        done = self.connection.run(make_command(arguments), text.encode())
        if done.code:
            why = done.last_line(LAST_LINES)
            hint = "fix that there, then run the same command again: it goes on from here"
            if "sudo:" in why:
                hint = "log in as root, or let that login become root by sudo without a password"
            raise SystemFailure(f"{self.connection.name} {failed}: {why}", hint=hint)
        return done.text


def make_command(arguments: tuple[str, ...]) -> str:
    """Return the one word that ssh hands to the login's shell, whichever that is."""
    return shlex.join(("sh", "-c", AS_ROOT, "sh", *arguments))


def script(name: str) -> str:
    """Return one of the scripts of this room."""
    return (files("darkpeak.system") / f"{name}.sh").read_text(encoding="utf-8")
