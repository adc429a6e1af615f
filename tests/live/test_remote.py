"""A remote daemon: over ssh:// and through the tunnel, without files on its machine, and with lost connections."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab import toy
from lab.collectives import TOOL, Collective
from lab.commands import run, wait_for
from lab.remote import Remote
from tests.live import facts
from tests.live.daemons import leftovers, states
from tests.live.packages import make_older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SERVICES = ("chat", "directory", "router", "wiki")
TUNNEL = "tcp://localhost:4243"
WORTH_CUTTING = 300 << 20  # bytes: a second or two of upload


@dataclass(frozen=True)
class Distant(Collective):
    """A collective whose daemon is reached by another URI than its host's, or by other variables of a shell."""

    uri: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the admin's shell: DOCKER_HOST with that URI."""
        environment = {**super().environment, **dict(self.variables), "DOCKER_HOST": self.uri}
        return {key: value for key, value in environment.items() if value}


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    """Yield a remote machine with an ssh server."""
    with Remote() as machine:
        machine.start_sshd()
        yield machine


@pytest.fixture(scope="module")
def by_ssh(collective: Collective, remote: Remote) -> Distant:
    """Return the collective with that machine's daemon, over ssh."""
    return Distant(collective.top, remote, f"ssh://root@{remote.address}")


@contextmanager
def tunnel(collective: Distant, remote: Remote) -> Iterator[subprocess.Popen[str]]:
    """Hold a tunnel open."""
    argv, pipe = [str(TOOL), "tunnel", f"root@{remote.address}"], subprocess.PIPE
    environment = dict(collective.environment)
    with subprocess.Popen(argv, cwd="/", env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == f"export DOCKER_HOST={TUNNEL}\n"
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(params=["ssh", "tunnel"])
def distant(request: pytest.FixtureRequest, by_ssh: Distant, remote: Remote) -> Iterator[Distant]:
    """Yield the collective with that daemon, once over ssh and once through the tunnel."""
    if request.param == "ssh":
        yield by_ssh
        return
    with tunnel(by_ssh, remote):
        yield Distant(by_ssh.top, remote, TUNNEL)


def test_commands_work_on_a_remote_daemon_and_leave_no_files(distant: Distant, remote: Remote, tmp_path: Path) -> None:
    distant.darkpeak("up", *SERVICES, timeout=900)
    assert {name: state for name, state in states(distant).items() if name in SERVICES} == dict.fromkeys(
        SERVICES, "healthy"
    )
    with remote.here():
        written = facts.of("wiki").write(near(distant, remote))
    distant.darkpeak("backup", "wiki", "directory", "--to", str(tmp_path / "kept"), timeout=300)
    distant.darkpeak("member", "remove", "ada")
    distant.darkpeak("down", "chat", "wiki", "directory", "--volumes", "--yes", timeout=180)
    distant.darkpeak("up", *SERVICES, timeout=300)
    for service in ("directory", "wiki"):
        distant.darkpeak("restore", service, "--from", str(tmp_path / "kept" / service), timeout=300)
    with remote.here():
        facts.of("wiki").check(near(distant, remote), written)
    members = json.loads(distant.darkpeak("member", "list", "--json").stdout)
    assert [member["uid"] for member in members] == ["ada", "grace"]
    log = distant.darkpeak("logs", "router", "--tail", "5").stdout
    assert "haproxy-1" in log
    assert "\x1b" not in log
    old, _ = make_older(distant, "directory", "slapd")
    assert (
        f"directory slapd hostname {old} " in distant.darkpeak("updates", "directory", timeout=120, check=False).stdout
    )
    distant.darkpeak("stop", "chat")
    assert states(distant)["chat"] == "stopped"
    distant.darkpeak("restart", "wiki", timeout=120)
    assert remote.written() == []
    distant.darkpeak("down", *SERVICES, "--volumes", "--yes", timeout=180)
    assert remote.docker("ps", "-q") == []


def near(collective: Collective, remote: Remote) -> Collective:
    """Return the collective as it is used on the remote machine itself, for checks as a member there."""
    return Collective(collective.top, remote)


def test_a_run_logs_in_once(by_ssh: Distant, remote: Remote) -> None:
    before = remote.logins()
    by_ssh.darkpeak("status")
    by_ssh.darkpeak("doctor", check=False)
    assert remote.logins() == before + 2


def test_doctor_knows_the_machine_behind_the_connection(by_ssh: Distant) -> None:
    checks = json.loads(by_ssh.darkpeak("doctor", "--json", check=False).stdout)
    verdicts = {check["check"]: check["verdict"] for check in checks}
    assert verdicts.keys() >= {"compose", "daemon", "disk", "memory", "clock", "userland-proxy", "ports", "subnets"}
    assert (verdicts["clock"], verdicts["userland-proxy"], verdicts["names"]) == ("ok", "warn", "warn")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ssh://root@127.0.0.1:9", "connect to host 127.0.0.1 port 9: Connection refused"),
        ("ssh://nobody@{address}", "permission denied"),
        ("ssh://root@nowhere.invalid", "no such host name"),
        ("ssh://root@{address}:2222", "its host key is unknown here"),
        ("ssh://root@{address}/run/other.sock", "there is no /run/other.sock"),
        ("ssh://root@{address} x", "not a valid Docker URI"),
    ],
    ids=["unreachable", "denied", "no name", "unknown key", "no daemon", "no URI"],
)
def test_a_failed_login_is_an_error_of_three_lines(by_ssh: Distant, remote: Remote, uri: str, said: str) -> None:
    if ":2222" in uri:
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(remote.slot.folder / "another_key")])
        remote.start_sshd(2222, remote.slot.folder / "another_key")
    lost = Distant(by_ssh.top, remote, uri.format(address=remote.address))
    failed = lost.darkpeak("status", check=False)
    assert failed.returncode == 3
    assert said in failed.stderr
    assert len(failed.stderr.splitlines()) <= 3


def test_the_tcp_daemon_answers_only_with_tls(by_ssh: Distant, remote: Remote) -> None:
    tls = (("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", str(remote.certificates)))
    assert states(Distant(by_ssh.top, remote, remote.tls_uri, tls)) == states(by_ssh)
    refused = Distant(by_ssh.top, remote, remote.tls_uri).darkpeak("status", check=False)
    assert (refused.returncode, "it needs TLS" in refused.stderr) == (3, True)


def test_a_docker_context_is_used(by_ssh: Distant, remote: Remote, tmp_path: Path) -> None:
    pems = ("ca=ca.pem", "cert=cert.pem", "key=key.pem")
    files = ",".join(pem.replace("=", f"={remote.certificates}/") for pem in pems)
    endpoints = {"ssh": f"host={by_ssh.uri}", "tls": f"host={remote.tls_uri},{files}"}
    for name, endpoint in endpoints.items():
        home = (("DOCKER_CONFIG", str(tmp_path)), ("DOCKER_CONTEXT", name))
        there = Distant(by_ssh.top, remote, "", home)
        create = ["docker", "context", "create", name, "--docker", endpoint]
        run(create, env={**there.environment, "DOCKER_CONTEXT": ""})
        assert states(there) == states(by_ssh)
        assert there.darkpeak("doctor", "--json", check=False).returncode in (0, 1)


def test_a_tunnel_reconnects_after_the_connection_was_lost(by_ssh: Distant, remote: Remote) -> None:
    through = Distant(by_ssh.top, remote, TUNNEL)
    with tunnel(by_ssh, remote) as process:
        assert through.darkpeak("tunnel", f"root@{remote.address}", check=False).stderr.startswith(
            "error: port 4243 is in use"
        )
        remote.cut()
        wait_for("the tunnel", lambda: through.darkpeak("status", check=False).returncode == 0)
        process.terminate()
        assert process.wait(10) == 0
    assert through.darkpeak("status", check=False).returncode == 3


@pytest.fixture(scope="module")
def hello(by_ssh: Distant) -> Distant:
    """Return the collective with the toy service running there, besides the router."""
    toy.add(by_ssh)
    by_ssh.darkpeak("up", toy.NAME, timeout=900)
    return by_ssh


def slow_down(collective: Collective) -> None:
    """Make the next build slow."""
    path = collective.folder(toy.NAME) / "web" / "Dockerfile"
    path.write_text(toy.DOCKERFILE.replace("COPY", "RUN sleep 20\nCOPY", 1))


def fill(collective: Collective) -> None:
    """Make the next build upload much: the builder fetches only files that the Dockerfile copies."""
    folder = collective.folder(toy.NAME) / "web"
    (folder / "Dockerfile").write_text(toy.DOCKERFILE.replace("COPY index.html", "COPY index.html large", 1))
    with (folder / "large").open("wb") as file:
        for number in range(WORTH_CUTTING >> 20):
            file.write(number.to_bytes(2, "big") * (1 << 19))


def second_version(collective: Collective) -> None:
    """Undo both, and change the page."""
    folder = collective.folder(toy.NAME) / "web"
    (folder / "Dockerfile").write_text(toy.DOCKERFILE)
    (folder / "large").unlink(missing_ok=True)
    toy.write(collective, "second")


CUTS: dict[str, tuple[Callable[[Collective], None], Callable[[Remote], object]]] = {
    "a build": (slow_down, lambda remote: not remote.run(["pgrep", "-f", "^sleep 20$"], check=False).returncode),
    "an upload": (fill, lambda remote: list((remote.data / "docker/overlay2").glob("*/diff/large"))),
    "a switch": (second_version, lambda remote: len(remote.docker("ps", "-aq", "--filter", "name=hello-web")) > 1),
}


@pytest.mark.parametrize(("change", "reached"), CUTS.values(), ids=CUTS)
def test_a_lost_connection_is_an_error_and_the_next_up_finishes(
    hello: Distant, remote: Remote, change: Callable[[Collective], None], reached: Callable[[Remote], object]
) -> None:
    change(hello)
    argv, pipe = [str(TOOL), "up", toy.NAME], subprocess.PIPE
    with subprocess.Popen(
        argv, cwd=hello.top, env=dict(hello.environment), stdout=pipe, stderr=pipe, text=True
    ) as process:
        wait_for("the moment to end the connection", lambda: reached(remote), pause=0.01)
        remote.cut()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    error = said[said.index("error: ") :].splitlines()
    assert f"the ssh connection to root@{remote.address} was lost" in error[0]
    assert len(error) <= 3
    assert "Traceback" not in said
    hello.darkpeak("up", toy.NAME, timeout=300)
    hello.darkpeak("plan", toy.NAME)
    hello.darkpeak("routes", "--check")
    assert leftovers(hello) == []


def test_services_run_on_their_assigned_hosts(hello: Distant, collective: Collective, remote: Remote) -> None:
    settings = collective.top / "collective.toml"
    before = settings.read_text()
    variant = hello.folder(toy.NAME) / "docker-compose.server.yml"
    try:
        settings.write_text(f'{before}\n[hosts.server]\ndocker = "{hello.uri}"\nservices = ["{toy.NAME}"]\n')
        rows = json.loads(collective.darkpeak("status", "--json").stdout)
        assert ("server", toy.NAME, "healthy") in [(row["host"], row["service"], row["state"]) for row in rows]
        assert collective.darkpeak("up", toy.NAME).stdout.startswith("on server:\nnothing to do")
        assert toy.NAME in collective.darkpeak("history", toy.NAME).stdout
        variant.write_text("services: {store: {environment: {COLOUR: red}}}\n")
        assert variant.name in collective.darkpeak("plan", toy.NAME, check=False).stdout
        collective.darkpeak("up", toy.NAME, timeout=120)
        store = remote.docker("ps", "-q", "--filter", "name=hello-store")[0]
        assert "COLOUR=red" in "".join(remote.docker("inspect", store))
    finally:
        settings.write_text(before)
        variant.unlink(missing_ok=True)


def test_no_file_of_the_remote_machine_is_written(hello: Distant, remote: Remote) -> None:
    assert states(hello)[toy.NAME] == "healthy"
    assert remote.run(["touch", "/etc/x"], check=False).returncode
    assert remote.written() == []
