"""The ssh client: its arguments, and what its errors mean. Only the pure parts; a real server is in tests/live."""

from pathlib import Path

import pytest

from darkpeak.collective.uri import Uri, parse_uri
from darkpeak.engine.ssh import Connection, explain, explain_silence, make_connect
from darkpeak.errors import SystemFailure

SERVER = Uri("ssh", "server", "ops", path="/var/run/docker.sock")

WORDS = {
    "Host key verification failed.": "its host key is unknown here",
    "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.": "its host key has changed",
    "ops@server: Permission denied (publickey).": "permission denied",
    "Received disconnect from 192.0.2.1: Too many authentication failures": "permission denied",
    "ssh: Could not resolve hostname server: Name or service not known": "there is no such host name",
    "ssh: connect to host server port 22: No route": "connect to host server port 22: No route",
    "": "no error output",
}  # fmt: skip


@pytest.mark.parametrize(("said", "meaning"), WORDS.items(), ids=WORDS.values())
def test_a_failed_login_is_explained(said: str, meaning: str) -> None:
    error = explain(SERVER, said)
    assert error.message == f"cannot log in to ops@server over ssh: {meaning}"
    assert (bool(error.hint), error.exit_code, len(error.lines())) == (True, 3, 2)


@pytest.mark.parametrize(
    ("found", "said", "message"),
    [
        ("hello\n=absent=\n", "", "no Docker engine answers on ops@server: there is no /var/run/docker.sock"),
        ("=denied=", "", "ops@server may not use Docker there: no permission for /var/run/docker.sock"),
        ("=there=", "", "no Docker engine answers on ops@server"),
        (
            "=there=",
            "open failed: administratively prohibited",
            "the ssh server of ops@server does not allow forwarding of a socket",
        ),
    ],
)
def test_a_silent_daemon_behind_ssh_is_explained(found: str, said: str, message: str) -> None:
    error = explain_silence(SERVER, found, said)
    assert (error.message, bool(error.hint)) == (message, True)


def test_a_name_is_never_an_option(tmp_path: Path) -> None:
    uri = parse_uri("ssh://ops@server:2222")
    assert uri
    argv = make_connect(uri, tmp_path)
    assert argv[-6:] == ("-p", "2222", "-l", "ops", "--", "server")
    assert argv[:6] == ("ssh", "-f", "-N", "-M", "-S", str(tmp_path / "control"))


def test_a_connection_that_is_lost_at_once_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ssh client has connected, and is gone with its socket before we use it."""
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    connection = Connection(SERVER)
    with pytest.raises(SystemFailure, match="the ssh connection to ops@server was lost"):
        connection.open(asks=False)
    connection.close()
