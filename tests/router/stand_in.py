"""A stand-in for the router's container: it keeps files in memory, and has the router's programs.

It reads the files as services/router/haproxy does, without the code under test, so it does not have the same errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from darkpeak.result import Result

FOLDER = "/var/lib/router"
ROUTES = ("http.map", "hosts.map", "tls.map", "ssh.map", "tcp.map")
MAPS = (
    *ROUTES,
    "rate.map",
    "connections.map",
    "idle.map",
    "body.map",
    "members.map",
    "away.map",
    "peers.map",
    "links.map",
    "far.map",
)
KEYS = ("account.pem", "account-next.pem")
FILES = {
    **dict.fromkeys((*MAPS, "maintenance.map", "pairs.map", "tcp.cfg", "certificates.lst", "trust.pem", *KEYS), b""),
    "domains.lst": b".localhost\n",
    "tls.cfg": b"global\n  setenv TLS_ROUTES 0\n  setenv MEMBERS 0\n",
}


@dataclass
class StandIn:
    """Behaves like the router's container; `dead` are the ports on which no service answers."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    running: dict[str, bytes] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    handed: dict[str, bytes] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)
    refuse: str = ""
    certificates: str = ""

    def __post_init__(self) -> None:
        self.running = self.running or dict(self.files)

    def read_folder(self, folder: str) -> dict[str, bytes]:
        """Return the files of a folder."""
        assert folder == FOLDER
        return dict(self.files)

    def write_files(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Store files."""
        self.handed |= {f"{folder}/{name}": content for name, content in files.items()}

    def run(self, argv: Sequence[str], stdin: bytes | None = None) -> Result:  # noqa: ARG002 (no program reads it)
        """Run one of the router's programs."""
        self.ran.append(list(argv))
        if argv[0] == self.refuse:
            return Result(1, b"", b"it is\nbroken\n")
        return Result(0, getattr(self, f"_{argv[0]}")(*argv[1:]))

    def _running(self) -> bytes:
        told = [
            (name, line)
            for name in (*MAPS, "domains.lst", "pairs.map")
            for line in self.running[name].decode().splitlines()
        ]
        told += [("tls.cfg", self.running["tls.cfg"].decode().split()[3])]
        told += [("tcp.cfg", line.split()[0]) for line in self.running["tcp.map"].decode().splitlines()]
        return b"".join(f"{name} {line}\n".encode() for name, line in told)

    def _apply(self, change: str) -> bytes:
        before = dict(self.files)
        folder = f"{FOLDER}/next/{change}/"
        names = [path.removeprefix(folder) for path in self.handed if path.startswith(folder)]
        self.files |= {name: self.handed.pop(folder + name) for name in names}
        self.running = dict(self.files)
        structure = ("tcp.cfg", "tls.cfg", *KEYS)
        changed = any(before.get(name) != self.files.get(name) for name in structure)
        return b"reloaded\n" if changed else b"routes: some\n"

    def _probe(self, *hosts: str) -> bytes:
        lines = self.running["http.map"] + self.running["hosts.map"]
        led = dict(line.split() for line in self.running["pairs.map"].decode().splitlines())
        split = (line.split() for line in lines.decode().splitlines())
        ports = {name: int(led.get(to, to.partition("-")[0])) for name, to in split}
        return b"".join(self._answer(host, ports.get(host) or ports.get(host.partition(".")[0])) for host in hosts)

    def _ask(self, *asked: str) -> bytes:
        return b"".join(f"{one}\n".encode() for one in asked if int(one.rpartition(":")[2]) not in self.dead)

    def _answer(self, host: str, port: int | None) -> bytes:
        if port is None:
            return f"{host} 404 router\n".encode()
        return f"{host} 503 router\n".encode() if port in self.dead else f"{host} 200\n".encode()

    def _counters(self) -> bytes:
        return b"6010 0 0 0 0\n6020 200 3 500\n"

    def _certificates(self) -> bytes:
        return self.certificates.encode()

    def _sign(self, option: str, file: str, *names: str) -> bytes:
        assert option == "-i"
        return self.handed[file] + b" for " + " ".join(names).encode()

    def _rm(self, option: str, file: str) -> bytes:
        assert option == "-f"
        del self.handed[file]
        return b""
