"""Read, change and verify the router's tables, with the programs of its container."""

import html
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from darkpeak.errors import SystemFailure
from darkpeak.result import Result
from darkpeak.router.acme import HeldCertificates, parse_held
from darkpeak.router.files import (
    MEMBERS,
    PAIRS,
    TABLES,
    YOUNG,
    Drift,
    as_running,
    find_drift,
    lines,
    moved,
    parse,
    render,
)
from darkpeak.router.routes import (
    Changes,
    Counted,
    Route,
    Table,
    check,
    compare,
    lead_back,
    with_kept,
    without_gated,
)

STATE = "/var/lib/router"
NEXT = f"{STATE}/next"
NOTICES = "maintenance.map"
PROBED_AT_ONCE = 200
NO_ANSWER = "000"
PATIENCE = 5  # seconds for an answer, where a person waits for all of them
HINT = "see why: darkpeak logs router; start it again: darkpeak up router"


class Answer(NamedTuple):
    """The answer to a request for a host name through the router."""

    status: str
    own: bool  # by the router itself, not by a service

    @property
    def lost(self) -> bool:
        """Whether the router did not know the name."""
        return self.own and self.status.startswith("4")


class Notice(NamedTuple):
    """What members read while a service is under maintenance, and after how many seconds they may try again."""

    seconds: int
    text: str


class Container(Protocol):
    """The router's container: engine/inside.py, or the tests' stand-in."""

    def run(self, argv: Sequence[str], stdin: bytes | None = None) -> Result:
        """Run a program in it, with bytes on its standard input if they are given."""

    def read_folder(self, folder: str) -> Mapping[str, bytes]:
        """Return the files of one of its folders."""

    def write_files(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files into one of its folders."""


class Router:
    """The running router. It keeps no state: each method runs a program in the container."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def drift(self, table: Table) -> list[Drift]:
        """Return the lines in which the router's files, or the running process, differ from the table."""
        files = self._files((*TABLES, PAIRS))
        wanted = _known(render(_closed(with_kept(table, parse(files)), files)), files)
        in_files = find_drift(wanted, files, running=False)
        return in_files + find_drift(as_running(wanted), self._running(), running=True)

    def apply(self, table: Table, asked: Collection[str] = ()) -> Changes:
        """Make the files and the running router match a table, and verify each changed route with a request.

        A route does not change if nothing answers at its new port, and is reverted if it does not work afterwards. The
        result names both, and each of the `asked` routes that does not answer, changed or not.

        Raises:
            UsageError: when the table has a route that is not allowed; nothing was touched.
            SystemFailure: when the router refuses; the state before is restored.
        """
        check(table)
        written, running = self._files((*TABLES, PAIRS)), self._running()
        old = parse({**written, PAIRS: written.get(PAIRS, b"") + running.get(PAIRS, b"")})
        whole = with_kept(table, old)
        table = _closed(whole, written)
        closed = {route.label for route in whole.http} - {route.label for route in table.http}
        wanted = _known(render(table), written)
        drift = find_drift(wanted, written, running=False) or find_drift(as_running(wanted), running, running=True)
        if not drift and not moved(wanted, running):
            return Changes(silent=self._silent(self._probe(table, asked)), reverted=tuple(sorted(closed)))
        done = compare(old, table)
        deaf = self._deaf(table, done.changed)
        if deaf:
            table = lead_back(table, old, deaf)
        reloaded = self._switch(render(table))
        answers = self._probe(table, {*done.added, *done.changed, *asked} - deaf)
        lost = {name for name, answer in answers.items() if answer.lost or (answer.own and name in done.changed)}
        if lost:
            self._switch(render(lead_back(table, old, lost)))
        broken = deaf | lost
        silent = self._silent({name: answer for name, answer in answers.items() if name not in broken})
        synchronised = bool(drift) and not (done or old.domains != table.domains)
        return replace(
            done,
            added=tuple(name for name in done.added if name not in broken),
            changed=tuple(name for name in done.changed if name not in broken),
            silent=silent,
            reverted=tuple(sorted(broken | closed)),
            synchronised=synchronised,
            reloaded=reloaded,
        )

    def silent(self, table: Table, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the named http routes that a service does not answer within PATIENCE seconds."""
        return self._silent(self._probe(table, names, ("-t", str(PATIENCE))))

    def notices(self) -> dict[str, Notice]:
        """Return the notice of each service that is under maintenance."""
        split = (line.split(" ", 2) for line in lines(self._files([NOTICES]), NOTICES))
        return {label: Notice(int(seconds), html.unescape(text)) for label, seconds, text in split}

    def set_notice(self, label: str, notice: Notice | None) -> None:
        """Answer with a notice instead of a service, or (None) lead to the service again."""
        kept = {name: old for name, old in self.notices().items() if name != label}
        if notice:
            kept[label] = notice
        texts = {name: html.escape(" ".join(each.text.split())) for name, each in kept.items()}
        written = [f"{name} {kept[name].seconds} {texts[name]}\n" for name in sorted(kept)]
        self._switch({NOTICES: "".join(written).encode()})

    def counters(self) -> list[Counted]:
        """Return the counters of the running router, by service."""
        return [Counted(*map(int, line.split())) for line in self._run("counters").splitlines()]

    def authority(self) -> str:
        """Return the certificate of the collective's own CA, in PEM."""
        return self._run("cat", "/trust/ca.crt").decode()

    def certificates(self) -> HeldCertificates:
        """Return the router's certificates; private keys never leave the container.

        Raises:
            SystemFailure: when the router's answer cannot be read.
        """
        try:
            return parse_held(self._run("certificates"))
        except ValueError as error:
            raise SystemFailure(f"the router's list of certificates cannot be read: {error}", hint=HINT) from error

    def sign(self, request: bytes, names: Sequence[str], *, peer: bool = False) -> bytes:
        """Return a certificate by the collective's CA for exactly these names; with `peer`, for the router of a host.

        Raises:
            SystemFailure: when the CA may not sign the request, or one of the names.
        """
        file = f"{uuid.uuid4().hex}.request"
        self._put({file: request})
        try:
            return self._run("sign", *(["-p"] if peer else []), "-i", f"{NEXT}/{file}", *names)
        finally:
            self._run("rm", "-f", f"{NEXT}/{file}")

    def unreached(self, streams: Mapping[str, str]) -> tuple[str, ...]:
        """Return those streams of other hosts, by name, that their routers, at these addresses, do not give."""
        asked = {f"{address}={name}": name for name, address in streams.items()}
        given = self._run("reach", *sorted(asked)).decode().splitlines() if asked else []
        return tuple(sorted(name for what, name in asked.items() if what not in given))

    def has_key(self) -> bool:
        """Return whether this router has the CA's key; of a collective's routers, one has."""
        return not self._container.run(("test", "-s", "/ca/ca.key")).code

    def request(self, peer: str = "") -> tuple[tuple[str, ...], bytes] | None:
        """Return the names and the request of a certificate that this router needs from the one with the CA's key.

        With `peer`, it is the one for this name, with which the router proves to others who it is.
        """
        names, _, request = self._run("request", *filter(None, [peer])).partition(b"\n")
        return (tuple(names.decode().split()), request) if request else None

    def take(self, certificate: bytes, *, peer: bool = False) -> None:
        """Put the certificate for the last request into use.

        Raises:
            SystemFailure: when it is not for that request, or not from the collective's CA.
        """
        self._give(("take", "peer" if peer else "site"), certificate)

    def adopt(self, authority: str) -> None:
        """Use another CA, by its certificate, and give up the own one.

        Raises:
            SystemFailure: when the router refuses.
        """
        self._give(("adopt",), authority.encode())

    def _give(self, argv: Sequence[str], stdin: bytes) -> None:
        result = self._container.run(argv, stdin)
        if result.code:
            raise SystemFailure(f"the router refused: {result.last_line()}", hint=HINT)

    def _switch(self, files: Mapping[str, bytes]) -> bool:
        """Give new files to the container; return whether the router had to reload."""
        change = uuid.uuid4().hex
        self._put({f"{change}/{name}": content for name, content in files.items()})
        return b"reloaded" in self._run("apply", change).splitlines()

    def _deaf(self, table: Table, names: Collection[str]) -> set[str]:
        """Return those of the routes at whose port nothing answers; the services are asked directly."""
        hosts = {route.label: f"http:{_host(route, table)}:{route.port}" for route in table.http}
        asked = {name: hosts.get(name, f"stream:{port}") for name, port in table.targets().items() if name in names}
        answered = self._run("ask", *sorted(set(asked.values()))).decode().splitlines() if asked else []
        return {name for name, what in asked.items() if what not in answered}

    @staticmethod
    def _silent(answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(sorted(name for name, answer in answers.items() if answer.own))

    def _probe(self, table: Table, names: Iterable[str], options: Sequence[str] = ()) -> dict[str, Answer]:
        """Return the answer to a request for each of the named http routes, through the router."""
        if not table.domains:
            return {}
        hosts = {_host(route, table): route.label for route in table.http if route.label in set(names)}
        waiting = sorted(hosts)
        answers = {}
        while waiting:
            now, waiting = waiting[:PROBED_AT_ONCE], waiting[PROBED_AT_ONCE:]
            for line in self._run("probe", *options, *now).decode().splitlines():
                host, status, *own = line.split()
                answers[hosts[host]] = Answer(status, own=bool(own) or status == NO_ANSWER)
        return answers

    def _running(self) -> dict[str, bytes]:
        """Return the tables that the running process uses."""
        found: dict[str, list[bytes]] = {table: [] for table in TABLES}
        for line in self._run("running").splitlines():
            table, _, rest = line.partition(b" ")
            found.setdefault(table.decode(), []).append(rest + b"\n")
        return {table: b"".join(sorted(rest)) for table, rest in found.items()}

    def _files(self, names: Iterable[str]) -> dict[str, bytes]:
        there = self._container.read_folder(STATE)
        return {name: there[name] for name in names if name in there}

    def _put(self, files: Mapping[str, bytes]) -> None:
        self._container.write_files(NEXT, files)

    def _run(self, *argv: str) -> bytes:
        """Run one of the container's programs; return its output."""
        result = self._container.run(argv)
        if result.code:
            why = " ".join((result.stderr or result.stdout).decode(errors="replace").split())
            raise SystemFailure(f"the router refused: {why or argv[0]}", hint=HINT)
        return result.stdout


def _known(wanted: Mapping[str, bytes], written: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files without those that an older router does not know; `up router` brings it up to date."""
    return {name: content for name, content in wanted.items() if name not in YOUNG or name in written}


def _closed(table: Table, written: Mapping[str, bytes]) -> Table:
    """Return the table without routes for members only, if the router could not know who is one."""
    return table if table.gate.keys and MEMBERS in written else without_gated(table)


def _host(route: Route, table: Table) -> str:
    return route.label if route.whole else f"{route.label}.{table.domains[0]}"
