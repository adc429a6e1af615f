"""One ssh connection to a daemon's machine, with the ssh client, its agent, configuration and known_hosts.

The daemon's socket is forwarded to a socket in a private folder here, which the library, `docker`, compose and the
services' scripts use. Measured: `docker ps` takes 13 ms, against 390 ms with docker's own ssh://, or 207 ms with that
over a shared connection, since there each request is a new login session. A forward is not a session: 15 at once are
far from the server's MaxSessions (10 by default). The connection is made and authenticated once in a run.
"""

import atexit
import os
import random
import re
import select
import shlex
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from darkpeak import process
from darkpeak.collective.uri import Uri
from darkpeak.errors import SystemFailure, add_explainer
from darkpeak.network import engine_answers
from darkpeak.result import NO_OUTPUT, Result

PERSIST_SECONDS = 5  # how long the connection outlives this program
ALIVE = ("ServerAliveInterval=10", "ServerAliveCountMax=3")  # a dead network is noticed after half a minute
OPTIONS = (
    *("ConnectTimeout=10", *ALIVE, f"ControlPersist={PERSIST_SECONDS}"),
    # The admin's own configuration may set these for interactive logins.
    *("ClearAllForwardings=yes", "RemoteCommand=none", "PermitLocalCommand=no"),
)
ANSWER_SECONDS = 20
PROBE_SECONDS = 5  # of a machine from which no answer came before
# For connections side by side, where no person can be asked: a passphrase or an unknown host key is an error.
ASK_NOBODY = ("BatchMode=yes",)
# The errors if a server refuses some of many logins at once (MaxStartups).
BUSY = re.compile(r"Connection reset by|Connection closed by|kex_exchange_identification")
NEEDS_PERSON = re.compile(r"Permission denied|Host key verification failed")
PAUSES = (0.5, 1.0, 2.0, 4.0)
OLD_SECONDS = 3600
# The words have = around them, because the login's shell may print other lines.
PROBE = 'if [ ! -e "$1" ]; then echo =absent=; elif [ ! -w "$1" ]; then echo =denied=; else echo =there=; fi'


class MustAsk(SystemFailure):
    """ssh could not log in without asking a person, and it was told to ask nobody."""


class Connection:
    """An ssh connection, until it is closed or lost."""

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        self.folder = Path(tempfile.mkdtemp(prefix="ssh-", dir=_runtime_folder()))
        self._watch: socket.socket | None = None

    @property
    def name(self) -> str:
        """What you type after `ssh` to log in there."""
        return self.uri.login

    @property
    def socket(self) -> Path:
        """The local socket that is forwarded to the daemon's."""
        return self.folder / "docker.sock"

    @property
    def lost(self) -> bool:
        """Whether the connection was open and is lost."""
        return self.wait(0)

    def open(self, *, asks: bool = True) -> None:
        """Connect and log in; ssh may ask questions on the terminal, unless it `asks` nobody: then it has a deadline.

        Raises:
            MustAsk: when the login fails, and a person could perhaps help.
            SystemFailure: when the login fails.
        """
        for pause in (*PAUSES, 0):
            argv, seconds = make_connect(self.uri, self.folder, asks=asks), None if asks else ANSWER_SECONDS
            if not _run(argv, self.folder / "output", seconds):
                break
            output = self._output()
            if not pause or not BUSY.search(output):
                error = explain(self.uri, output)
                raise MustAsk(error.message, hint=error.hint) if NEEDS_PERSON.search(output) else error
            (self.folder / "log").unlink(missing_ok=True)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (so that not all try again at once)
        # This ends when the connection is lost, and keeps it open until then: ssh counts it as a user of it.
        self._watch = socket.socket(socket.AF_UNIX)
        try:
            self._watch.connect(str(self.folder / "control"))
        except OSError as error:  # lost at once: ssh has removed its socket
            raise SystemFailure(f"the ssh connection to {self.name} was lost", hint="try again") from error
        if self.wait(ANSWER_SECONDS):
            raise explain(self.uri, self._output())

    def forward(self, here: str) -> None:
        """Forward a local socket or [ADDRESS:]PORT to the daemon's socket.

        Raises:
            SystemFailure: when ssh refuses.
        """
        if self._control("-O", "forward", "-L", f"{here}:{self.uri.path}"):
            why = _last_line(self._output())
            raise SystemFailure(f"ssh cannot forward {here} to {self.uri.path} on {self.name}: {why}")

    def check(self) -> None:
        """Check that the daemon answers.

        Raises:
            SystemFailure: when it does not answer, with the reason if its machine shows one.
        """
        if not engine_answers(self.socket):
            found = self.folder / "probe"
            probe = f"sh -c {shlex.quote(PROBE)} sh {shlex.quote(self.uri.path)}"
            self._control(self.uri.host, probe, output=found, seconds=PROBE_SECONDS)
            raise explain_silence(self.uri, found.read_text(errors="replace"), self._output())

    def run(self, command: str, stdin: bytes) -> Result:
        """Run a command there in the login's shell, with bytes on its standard input; return its result."""
        argv = ("ssh", "-F", "none", "-S", str(self.folder / "control"), "-T", *_options(ALIVE), "--", self.uri.host)
        return process.run((*argv, command), stdin=stdin, seconds=process.LONG_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for the connection to be lost; return whether it is."""
        if self._watch is None or not select.select([self._watch], [], [], seconds)[0]:
            return False
        try:
            return not self._watch.recv(4096)  # ssh sends a greeting, and then nothing
        except ConnectionError:
            return True

    def close(self) -> None:
        """Close the connection and remove its files."""
        if self._watch:
            self._watch.close()
            self._watch = None
        if (self.folder / "control").exists():
            self._control("-O", "exit")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *arguments: str, output: Path | None = None, seconds: float = ANSWER_SECONDS) -> int:
        """Run the ssh client over the open connection, without the admin's configuration; return its exit code."""
        host = () if self.uri.host in arguments else (self.uri.host,)
        argv = ("ssh", "-F", "none", "-S", str(self.folder / "control"), *_options(ALIVE), *arguments, *host)
        return _run(argv, output or self.folder / "output", seconds)

    def _output(self) -> str:
        """Return what ssh has printed so far."""
        files = (self.folder / name for name in ("output", "log"))
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())


_open: dict[Uri, Connection] = {}


def connect(uri: Uri, *, asks: bool = True) -> Connection:
    """Return this process's ssh connection to a daemon; it is opened at the first call, and closed at the end.

    Raises:
        MustAsk: when ssh needed a person, and may ask nobody.
        SystemFailure: when the login fails, or when no daemon answers there.
    """
    known = _open.get(uri)
    if known and (known.lost or not known.folder.exists()):  # who asks anew, as `status --watch` does, gets a new one
        known.close()
        del _open[uri]
    if uri not in _open:
        connection = Connection(uri)
        _open[uri] = connection
        add_explainer(explain_lost)
        atexit.register(connection.close)
        try:
            connection.open(asks=asks)
            connection.forward(str(connection.socket))
            connection.check()
        except BaseException:
            del _open[uri]
            connection.close()
            raise
    return _open[uri]


def explain_lost(error: SystemFailure) -> SystemFailure:
    """Return the error; if an ssh connection of ours was lost, an error that says that, since it is the cause."""
    lost = next((connection.name for connection in _open.values() if connection.lost), "")
    if not lost or "was lost" in error.message:
        return error
    first = error.message.partition("\n")[0]
    hint = "what was done stays; run the same command again, and it continues from here"
    explained = SystemFailure(f"the ssh connection to {lost} was lost: {first}", hint=hint)
    explained.__cause__ = error
    return explained


def make_connect(uri: Uri, folder: Path, *, asks: bool = True) -> tuple[str, ...]:
    """Return the ssh command that connects, goes to the background, and has its control socket in the folder."""
    where = (*(("-p", str(uri.port)) if uri.port else ()), *(("-l", uri.user) if uri.user else ()), "--", uri.host)
    control = ("-f", "-N", "-M", "-S", str(folder / "control"), "-E", str(folder / "log"))
    return ("ssh", *control, "-a", "-x", "-T", *_options(OPTIONS if asks else OPTIONS + ASK_NOBODY), *where)


def explain(uri: Uri, output: str) -> SystemFailure:
    """Return an error that says why ssh could not log in, from its output."""
    login = uri.login
    if "IDENTIFICATION HAS CHANGED" in output:
        what, hint = (
            "its host key has changed",
            f"ask its admins whether that is right; if it is: ssh-keygen -R {uri.host}",
        )
    elif "Host key verification failed" in output:
        what, hint = "its host key is unknown here", f"log in once, and compare the fingerprint: ssh {login}"
    elif "Permission denied" in output or "Too many authentication failures" in output:
        what, hint = "permission denied", f"this must work first: ssh {login}; list the keys of your agent: ssh-add -l"
    elif "Could not resolve hostname" in output:
        what, hint = "there is no such host name", "fix the name, or write a Host entry in ~/.ssh/config"
    else:
        what, hint = _last_line(output), f"check that the machine is on, and the network; see more: ssh -v {login}"
    return SystemFailure(f"cannot log in to {login} over ssh: {what}", hint=hint)


def explain_silence(uri: Uri, found: str, output: str) -> SystemFailure:
    """Return an error that says why no daemon answers over an open connection.

    `found` is what the probe of its socket printed, and `output` what ssh printed.
    """
    message = f"no Docker engine answers on {uri.login}"
    if "administratively prohibited" in output:
        return SystemFailure(
            f"the ssh server of {uri.login} does not allow forwarding of a socket",
            hint="write in its sshd_config: AllowStreamLocalForwarding yes",
        )
    if "=absent=" in found:
        hint = f"install docker.io there, or give another socket, like ssh://{uri.host}/run/user/1000/docker.sock"
        return SystemFailure(f"{message}: there is no {uri.path}", hint=hint)
    if "=denied=" in found:
        hint = f"there, as root: adduser {uri.user or 'your-login'} docker (this makes it as powerful as root)"
        return SystemFailure(f"{uri.login} may not use Docker there: no permission for {uri.path}", hint=hint)
    return SystemFailure(message, hint="check whether it runs, on that machine: systemctl status docker")


def _runtime_folder() -> Path:
    """Return a folder that only this login can access, for sockets; remove the leftovers of dead runs from it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "darkpeak" if runtime else Path(tempfile.gettempdir()) / f"darkpeak-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077 or folder.is_symlink():
        what = f"{folder} must be accessible only to you, since it contains connections"
        raise SystemFailure(what, hint=f"remove it, then try again: rm -r {folder}")
    for left in folder.glob("ssh-*"):
        with suppress(FileNotFoundError):  # another connection that is closed meanwhile
            if not (left / "control").exists() and time.time() - left.stat().st_mtime > OLD_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    return folder


def _run(argv: Sequence[str], output: Path, seconds: float | None) -> int:
    """Run ssh, without a deadline if it may ask a person; return its exit code, or 255 if it did not end in time.

    Its output goes to a file, since ssh in the background would keep a pipe open.
    """
    with output.open("ab") as file:
        try:
            return process.run_into(argv, file, seconds=seconds)
        except process.TookTooLong:
            file.write(f"no answer within {seconds:.0f} s\n".encode())
            return 255


def _options(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for option in options for word in ("-o", option))


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return re.sub(r"^(ssh|mux_client\w*): ", "", lines[-1].strip()) if lines else NO_OUTPUT
