"""Look at a server over ssh, and carry out the plan's steps there, with scripts on a shell's standard input."""

import shlex
from importlib.resources import files

from darkpeak.collective.uri import Uri
from darkpeak.engine.ssh import Connection
from darkpeak.errors import SystemFailure
from darkpeak.system.base import Wanted
from darkpeak.system.plan import Found, SystemStep, arguments_of_look, read_found

# Root's shell runs the script; another login uses sudo, which must not ask for a password.
AS_ROOT = 'if [ "$(id -u)" -eq 0 ]; then exec sh -s -- "$@"; else exec sudo -n -- sh -s -- "$@"; fi'
LAST_LINES = 3


class Server:
    """A machine that is reached over ssh, as root or as a login that can use sudo."""

    def __init__(self, uri: Uri) -> None:
        self.connection = Connection(uri)

    def open(self) -> None:
        """Connect.

        Raises:
            SystemFailure: when the login fails.
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
        """Return what the machine has of the base system."""
        packages, paths = arguments_of_look(wanted)
        return read_found(self._run(script("look"), (*packages, "--", *paths)))

    def make(self, step: SystemStep) -> None:
        """Carry out one step.

        Raises:
            SystemFailure: when it fails; what was done before it stays.
        """
        # In braces: the shell reads all of it before it runs any of it, so no program there can read the rest.
        self._run("{\n" + script("make") + "\n".join(step.lines) + "\n}\n", (), f"could not {step.what}")

    def _run(self, text: str, arguments: tuple[str, ...], failed: str = "could not be checked") -> str:
        done = self.connection.run(make_command(arguments), text.encode())
        if done.code:
            why = done.last_line(LAST_LINES)
            hint = "fix that on the machine, then run the same command again; it continues from here"
            if "sudo:" in why:
                hint = "log in as root, or allow that login to use sudo without a password"
            raise SystemFailure(f"{self.connection.name} {failed}: {why}", hint=hint)
        return done.text


def make_command(arguments: tuple[str, ...]) -> str:
    """Return the command as one word for the login's shell, which can be any shell."""
    return shlex.join(("sh", "-c", AS_ROOT, "sh", *arguments))


def script(name: str) -> str:
    """Return one of the scripts of this room."""
    return (files("darkpeak.system") / f"{name}.sh").read_text(encoding="utf-8")
