"""One ssh connection to a daemon's machine, by the ssh client itself with its agent, configuration and known_hosts.

The daemon's socket is forwarded to one in a private folder here, and the library, `docker`, compose and the services'
scripts all use that. Measured: 13 ms for a `docker ps`, against 390 ms with docker's own ssh:// and 207 ms where that
goes over a shared connection, since each of its requests is a login session. A forward is none: 15 at once did not
come near the server's MaxSessions (10 by default), and the connection is made and authenticated once a run.
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
from pathlib import Path

from darkpeak import process
from darkpeak.collective.uri import Uri
from darkpeak.errors import SystemFailure, add_explainer
from darkpeak.network import engine_answers
from darkpeak.result import NO_OUTPUT, Result

PERSIST_SECONDS = 5  # after the last of us has gone, however it went
ALIVE = ("ServerAliveInterval=10", "ServerAliveCountMax=3")  # a dead network is noticed after half a minute
OPTIONS = (
    *("ConnectTimeout=10", *ALIVE, f"ControlPersist={PERSIST_SECONDS}"),
    # What the admin's own configuration adds for interactive logins would get in the way.
    *("ClearAllForwardings=yes", "RemoteCommand=none", "PermitLocalCommand=no"),
)
ANSWER_SECONDS = 20
# What a server does with some of many who come at once (MaxStartups), before it knows who they are.
BUSY = re.compile(r"Connection reset by|Connection closed by|kex_exchange_identification")
PAUSES = (0.5, 1.0, 2.0, 4.0)
OLD_SECONDS = 3600
# What a login's shell prints at its start is around it.
PROBE = 'if [ ! -e "$1" ]; then echo =absent=; elif [ ! -w "$1" ]; then echo =denied=; else echo =there=; fi'


class Connection:
    """An open ssh connection, good until it is closed or cut."""

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        self.folder = Path(tempfile.mkdtemp(prefix="ssh-", dir=_runtime_folder()))
        self._watch: socket.socket | None = None

    @property
    def name(self) -> str:
        """What one would type after `ssh`."""
        return self.uri.login

    @property
    def socket(self) -> Path:
        """The daemon's socket, forwarded to here."""
        return self.folder / "docker.sock"

    @property
    def cut(self) -> bool:
        """Whether it was open and has ended."""
        return self.wait(0)

    def open(self) -> None:
        """Connect and log in; asks on the terminal what ssh has to ask.

        Raises:
            SystemFailure: when there is no way in.
        """
        for pause in (*PAUSES, 0):
            if not _run(make_connect(self.uri, self.folder), self.folder / "said", None):
                break
            said = self._said()
            if not pause or not BUSY.search(said):
                raise explain(self.uri, said)
            (self.folder / "log").unlink(missing_ok=True)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (so that not all come again at once)
        # Ends when the connection does, and holds it while we live: ssh counts it as somebody using it.
        self._watch = socket.socket(socket.AF_UNIX)
        self._watch.connect(str(self.folder / "control"))
        if self.wait(ANSWER_SECONDS):
            raise explain(self.uri, self._said())

    def forward(self, here: str) -> None:
        """Lead a socket or [ADDRESS:]PORT here to the daemon's.

        Raises:
            SystemFailure: when it cannot be done.
        """
        if self._control("-O", "forward", "-L", f"{here}:{self.uri.path}"):
            raise SystemFailure(f"ssh cannot lead {here} to {self.uri.path} on {self.name}: {_last(self._said())}")

    def check(self) -> None:
        """Ask the daemon whether it is there.

        Raises:
            SystemFailure: when it doesn't answer, with the reason that its machine gives.
        """
        if not engine_answers(self.socket):
            found = self.folder / "probe"
            probe = f"sh -c {shlex.quote(PROBE)} sh {shlex.quote(self.uri.path)}"
            self._control(self.uri.host, probe, said=found)
            raise explain_silence(self.uri, found.read_text(errors="replace"), self._said())

    def run(self, command: str, stdin: bytes) -> Result:
        """Run a command there, by the login's shell, with bytes on its standard input."""
        argv = ("ssh", "-F", "none", "-S", str(self.folder / "control"), "-T", *_options(ALIVE), "--", self.uri.host)
        return process.run((*argv, command), stdin=stdin, seconds=process.LONG_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait that long for the connection to be cut; return whether it was."""
        if self._watch is None or not select.select([self._watch], [], [], seconds)[0]:
            return False
        return not self._watch.recv(4096)  # ssh greets, and then says nothing more

    def close(self) -> None:
        """End it, and leave nothing behind."""
        if self._watch:
            self._watch.close()
            self._watch = None
        if (self.folder / "control").exists():
            self._control("-O", "exit")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *arguments: str, said: Path | None = None) -> int:
        """Run the ssh client over the open connection; the admin's configuration has been heeded already."""
        host = () if self.uri.host in arguments else (self.uri.host,)
        argv = ("ssh", "-F", "none", "-S", str(self.folder / "control"), *_options(ALIVE), *arguments, *host)
        return _run(argv, said or self.folder / "said", ANSWER_SECONDS)

    def _said(self) -> str:
        """Return what ssh has said so far."""
        files = (self.folder / name for name in ("said", "log"))
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())


_open: dict[Uri, Connection] = {}


def connect(uri: Uri) -> Connection:
    """Return this process's connection to a daemon by ssh; it is opened at the first call, and closed at the end.

    Raises:
        SystemFailure: when there is no way in, or no daemon there.
    """
    if uri not in _open:
        connection = Connection(uri)
        _open[uri] = connection
        add_explainer(explain_cut)
        atexit.register(connection.close)
        try:
            connection.open()
            connection.forward(str(connection.socket))
            connection.check()
        except BaseException:
            del _open[uri]
            connection.close()
            raise
    return _open[uri]


def explain_cut(error: SystemFailure) -> SystemFailure:
    """Return the error or, where a connection of ours was cut, that: whatever went over it has failed with it."""
    cut = next((connection.name for connection in _open.values() if connection.cut), "")
    if not cut:
        return error
    first = error.message.partition("\n")[0]
    hint = "what is done stays done; run the same command again: it goes on from here"
    explained = SystemFailure(f"the ssh connection to {cut} was cut: {first}", hint=hint)
    explained.__cause__ = error
    return explained


def make_connect(uri: Uri, folder: Path) -> tuple[str, ...]:
    """Return the ssh command which connects, goes to the background, and leaves its control socket in the folder."""
    where = (*(("-p", str(uri.port)) if uri.port else ()), *(("-l", uri.user) if uri.user else ()), "--", uri.host)
    control = ("-f", "-N", "-M", "-S", str(folder / "control"), "-E", str(folder / "log"))
    return ("ssh", *control, "-a", "-x", "-T", *_options(OPTIONS), *where)


def explain(uri: Uri, said: str) -> SystemFailure:
    """Return why ssh did not get in, from its own words."""
    login = uri.login
    if "IDENTIFICATION HAS CHANGED" in said:
        what, hint = (
            "its host key has changed",
            f"ask its admins if it should; then ssh-keygen -R {uri.host}",
        )
    elif "Host key verification failed" in said:
        what, hint = "its host key is unknown here", f"ssh {login} once, and compare the fingerprint with its admins'"
    elif "Permission denied" in said or "Too many authentication failures" in said:
        what, hint = "permission denied", f"ssh {login} must work first; ssh-add -l shows the keys of your agent"
    elif "Could not resolve hostname" in said:
        what, hint = "no such host name", "mend the name, or give it a Host entry in ~/.ssh/config"
    else:
        what, hint = f"unreachable: {_last(said)}", "is it up, and the network between? ssh -v says more"
    return SystemFailure(f"no way in to {login} by ssh: {what}", hint=hint)


def explain_silence(uri: Uri, found: str, said: str) -> SystemFailure:
    """Return why no daemon answers behind an open connection: what a look at its socket found, and ssh's words."""
    message = f"no Docker engine answers on {uri.login}"
    if "administratively prohibited" in said:
        return SystemFailure(
            f"{uri.login} lets nobody forward a socket by ssh", hint="AllowStreamLocalForwarding yes in its sshd_config"
        )
    if "=absent=" in found:
        hint = f"install docker.io there, or name its socket: ssh://{uri.host}/run/user/1000/docker.sock"
        return SystemFailure(f"{message}: there is no {uri.path}", hint=hint)
    if "=denied=" in found:
        hint = f"there: adduser {uri.user or 'your-login'} docker (members of that group are as powerful as root)"
        return SystemFailure(f"{uri.login} may not use Docker there: {uri.path} is closed to it", hint=hint)
    return SystemFailure(message, hint="is it running? there: systemctl status docker")


def _runtime_folder() -> Path:
    """Return our private folder, in which no one else can put a socket; what dead runs left there is removed."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "darkpeak" if runtime else Path(tempfile.gettempdir()) / f"darkpeak-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077 or folder.is_symlink():
        raise SystemFailure(f"{folder} is open to others", hint="remove it: connections are kept there")
    for left in folder.glob("ssh-*"):
        if not (left / "control").exists() and time.time() - left.stat().st_mtime > OLD_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return folder


def _run(argv: Sequence[str], output: Path, seconds: float | None) -> int:
    """Run ssh, without a deadline where it may ask a person; return its exit code, 255 where it did not end in time.

    It prints to a file and not to a pipe, which it would hold open from the background.
    """
    with output.open("ab") as file:
        try:
            return process.run_into(argv, file, seconds=seconds)
        except process.TookTooLong:
            return 255


def _options(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for option in options for word in ("-o", option))


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return re.sub(r"^(ssh|mux_client\w*): ", "", lines[-1].strip()) if lines else NO_OUTPUT
